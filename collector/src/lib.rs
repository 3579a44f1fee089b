//! The Quartile collector: takes in batches over HTTP, keeps them on disk, forwards them to a store and answers reports.
//!
//! A batch's way, stage by stage:
//!
//! | stage | module |
//! |---|---|
//! | read the body, capped; find site and origin; answer | [`server`] |
//! | what the request tells of its sender | [`enrich`] |
//! | the batch with all that is known of it, as one record | [`ingest`] |
//! | on disk before the answer | [`queue`] |
//! | from the queue into the store | [`forward`] |
//! | merged rows, and questions about them | [`store`], [`report`] |
//! | from there to further places | [`sink`] |
//! | what was consumed, kept; a store made anew from it | [`archive`], [`rebuild`] |
//!
//! [`config`] reads the configuration, [`clock`] the time, [`access`] says who may read, [`metrics`] what can be measured,
//! and [`app`] puts the parts together. Nothing but `app` uses `server`.

pub mod access;
pub mod app;
pub mod archive;
mod chain;
pub mod clock;
pub mod config;
pub mod enrich;
pub mod forward;
pub mod ingest;
pub mod metrics;
pub mod queue;
pub mod rebuild;
mod replace;
pub mod report;
mod server;
pub mod sink;
pub mod store;
pub mod watch;

pub use chain::chain;

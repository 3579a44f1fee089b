//! The Quartile collector: takes in batches over HTTP, keeps them on disk, forwards them to a store and answers reports.

pub mod queue;

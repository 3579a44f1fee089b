//! The collector: receives batches, keeps them on disk, forwards them to a store, answers reports.

pub mod report;
pub mod store;

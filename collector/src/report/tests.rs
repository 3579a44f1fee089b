//! Refusals and answers.

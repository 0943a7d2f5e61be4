//! The index, the OpenAPI document, and pages about the problems.

pub(crate) mod description;
pub(crate) mod page;
pub(crate) mod problem_pages;

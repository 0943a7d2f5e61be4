//! The index, the OpenAPI document, and the pages of the problem types.

pub(crate) mod description;
pub(crate) mod page;
pub(crate) mod problem_pages;

//! The pages in a real Chromium, which Debian's chromedriver drives (packages `chromium` and
//! `chromium-driver`), and their answers as any HTTP client gets them.
//!
//! `cargo test --test browser -- --include-ignored --test-threads 2`. The accessibility audit also
//! needs axe-core, from npm: the variable `AXE` names its file `axe.min.js`.

mod chromium;
#[path = "../terminal/forgetful_proxy.rs"]
mod forgetful_proxy;
mod service;
mod small_png;

mod everyone;
mod negotiation;
mod past;
mod pictures;
mod playing;
mod protected;
mod troubles;
mod wire;

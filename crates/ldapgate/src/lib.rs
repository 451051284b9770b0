//! LDAP sign-in for web applications: the one crate an application adds.
#![allow(clippy::todo)]
pub mod config;

pub use config::{Config, ConfigErrors, Origin, Problem, Shown};

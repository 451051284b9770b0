//! The in-memory directory with the world in it.
#![allow(clippy::todo, unused_variables, clippy::unused_async)]

use crate::certificate::{Authority, Flaw};

/// The in-memory directory on two loopback ports, plain and ldaps.
pub(crate) struct Memory {}

impl Memory {
    pub(crate) async fn start(ldif: &str, authority: &Authority, flaw: Flaw) -> Self {
        todo!()
    }
    pub(crate) fn ldap_url(&self) -> String {
        todo!()
    }
    pub(crate) fn ldaps_url(&self) -> String {
        todo!()
    }
    pub(crate) fn connections(&self) -> usize {
        todo!()
    }
    pub(crate) async fn stop(&mut self) {
        todo!()
    }
    pub(crate) async fn resume(&mut self) {
        todo!()
    }
}

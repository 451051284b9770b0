//! The directory as others see it: OpenLDAP's tools, python-ldap, and a peer that speaks the protocol byte by byte.

#![allow(clippy::unwrap_used)] // clippy knows tests by their attribute, and not the functions that help them

extern crate ldapgate_directory as directory;

mod active_directory;
mod bind;
mod controls;
mod faults;
mod limits;
mod new_password;
mod paging;
mod python;
mod search;
mod support;
mod tls;
mod wire;
mod write;

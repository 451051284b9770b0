//! The decision, through the public door, against the in-memory directory; `openldap` against a real one.

mod account_states;
mod active_directory;
mod by_id;
mod change;
mod custom;
mod describe;
mod domain;
mod ds389_groups;
mod explain;
mod failover;
mod graphs;
mod groups;
mod manual;
mod names;
mod openldap;
mod operations;
mod outcomes;
mod presence;
mod presets;
mod remember_groups;
mod remember_names;
mod samba_groups;
mod several;
mod spelling;
mod templates;
mod world;

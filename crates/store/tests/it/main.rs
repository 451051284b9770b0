//! The store on a real file and a real server: the battery that every store passes, and what only these can go through.

mod battery;
mod copy;
mod file;
mod mirror;
mod people;
mod server;
mod together;

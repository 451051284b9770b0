//! The store on a real file: the battery that every store passes, and what only a file can go through.

mod battery;
mod file;
mod mirror;

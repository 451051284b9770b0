//! The house rules that a machine can hold, and that the test kit's own servers start.

mod examples;
mod house;
mod servers;

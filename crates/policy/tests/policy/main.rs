//! Decisions by table, policy texts by the fault in each, and what must hold for every policy.

mod always;
mod table;
mod text;
mod world;

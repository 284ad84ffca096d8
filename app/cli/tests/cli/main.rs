//! Tests of the `motif` binary, on localnets and gateways in processes of their own.
#![allow(clippy::unwrap_used, reason = "a test stops at the first unexpected result")]

mod authenticate;
mod blocked_payees;
mod channels;
mod credentials;
mod demo;
mod deployment;
mod earnings;
mod field_cases;
mod gateway_settings;
mod guide;
mod help;
mod interop;
mod keys;
mod kill;
mod localnet;
mod mcp;
mod operators;
mod payer;
mod paywall;
mod refusals;
mod sales;
mod supervision;
mod terms;
mod up;
mod walkthrough;
mod world;

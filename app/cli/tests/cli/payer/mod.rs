//! `motif payer serve` and `motif pay`: clients of any language buy from a paywall.

mod budgets;
mod crowd;
mod delivery;
mod interface;
mod kills;
mod link;
mod lost_answers;
mod openai;
mod proxy;
mod secrets;
mod shop;
mod two_operators;
mod wallet;

//! `motif payer serve` and `motif pay`: clients of any language buy from a paywall.

mod budgets;
mod crowd;
mod delivery;
mod interface;
mod kills;
mod link;
mod lost_answers;
mod openai;
mod preparation;
mod proxy;
mod secrets;
mod shop;
mod state;
mod two_operators;
mod unresponsive;
mod wallet;

//! P26: consumers of a log line must check which program wrote it. The SDK and the gateway
//! read accounts only.

use motif_tests::{relay, world::Call};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::licensed;

const MEMO_PROGRAM: Pubkey = Pubkey::from_str_const("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");

/// Returns the data lines that a program wrote itself, at any call depth.
fn events_of(program: &Pubkey, logs: &[String]) -> Vec<String> {
    let mut running: Vec<&str> = Vec::new();
    let mut events = Vec::new();
    for line in logs {
        if let Some(event) = line.strip_prefix("Program data: ") {
            if running.last().is_some_and(|last| *last == program.to_string()) {
                events.push(event.to_string());
            }
        } else if let Some((name, what)) =
            line.strip_prefix("Program ").and_then(|line| line.split_once(' '))
        {
            if what.starts_with("invoke") {
                running.push(name);
            } else if what.starts_with("success") || what.starts_with("failed") {
                running.pop();
            }
        }
    }
    events
}

#[test]
fn foreign_event_bytes_are_ignored() {
    let (mut world, channel, _) = licensed();
    relay::deploy(&mut world.svm);
    let currency = world.currency;
    world.fund(&channel.payer, &currency, 1_000);
    let real = world.send(channel.topping_up(1_000)).assert_ok();
    let events = events_of(&payments::ID, &real.logs);
    assert_eq!(events.len(), 1, "{:?}", real.logs);

    // A program that logs the same line as a real event.
    let before = world.snapshot();
    let spoof = relay::logging(&events[0]);
    let landed = world.send(Call::new([spoof], &[])).assert_ok();
    let line = format!("Program data: {}", events[0]);
    assert!(landed.logs.contains(&line), "{:?}", landed.logs);
    assert_eq!(events_of(&payments::ID, &landed.logs), [""; 0]);
    assert!(world.changed_since(&before).is_empty());

    // The memo program quotes any text, including line breaks.
    let quoted = format!("\nProgram {} invoke [1]\n{line}", payments::ID);
    let memo = Instruction::new_with_bytes(MEMO_PROGRAM, quoted.as_bytes(), vec![]);
    let landed = world.send(Call::new([memo], &[])).assert_ok();
    assert_eq!(events_of(&payments::ID, &landed.logs), [""; 0]);
    assert!(world.changed_since(&before).is_empty());
    assert_eq!(world.read(&channel).channel.deposited, 1_001_000);
}

//! Random calls by honest and hostile actors: a small part of what `cargo run --release --example
//! fuzz` plays.

use motif_tests::fuzz::Run;

#[test]
fn random_calls_break_no_promise() {
    let report = Run { seed: 1, instructions: 2_000, until: None }.play();
    assert!(report.clean(), "{:#?}", report.breaks);
    // The run must have accepted enough calls.
    assert!(report.accepted > report.instructions / 4, "{report:#?}");
    assert!(report.by_instruction.len() > 35, "{:?}", report.by_instruction.keys());
    assert!(report.still_settleable > 5, "{}", report.still_settleable);
    assert!(report.live > 5, "{}", report.live);
    // Calls that every state rejects are not generated.
    for name in [
        "settle",
        "settle_cosigned",
        "settle_buffered",
        "register_operator",
        "update_operator",
        "rotate_operator_key",
        "claim_fees",
        "open_till",
        "pay_till",
        "sweep_till",
        "update_metadata",
    ] {
        let tally = report.by_instruction.get(name).copied().unwrap_or_default();
        assert!(tally.accepted > 0, "{name} was never accepted: {tally:?}");
    }
    // Whatever the state, these attacks fail.
    for attack in [
        "stolen hot key",
        "verdict without a hearing",
        "bond raised before a claim",
        "consent ended before an acceptance",
        "work changed before its sale",
        "cap held with borrowed money",
    ] {
        let tally = report.attacks.get(attack).copied().unwrap_or_default();
        assert!(tally.accepted == 0 && tally.refused > 0, "{attack}: {tally:?}");
    }
    let attacks: Vec<_> = report.attacks.keys().copied().collect();
    assert!(attacks.len() > 12, "only these attacks were played: {attacks:?}");
}

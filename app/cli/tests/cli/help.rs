//! Help texts of the binary.

use std::process::Command;

fn help(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_motif"));
    let ran = command.args(arguments).arg("--help").output().unwrap();
    assert!(ran.status.success(), "{arguments:?}");
    String::from_utf8(ran.stdout).unwrap()
}

#[test]
fn help_explains_amounts() {
    let top = help(&[]);
    assert!(top.contains("whole tokens") && top.contains("5000000u"), "{top}");
    let open = help(&["channel", "open"]);
    assert!(open.contains("--deposit <AMOUNT>") && open.contains("Global options:"), "{open}");
}

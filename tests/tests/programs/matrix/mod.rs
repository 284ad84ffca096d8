//! P1, P14: every account of every instruction, replaced by every invalid variant. The
//! matrix is generated from the committed IDL: it fails for a new instruction or account until
//! `calls` and `expected` cover it.

mod calls;
mod cells;
mod costs;
mod expected;
mod fixtures;
mod idl;
mod largest;
mod stage;
mod versions;

use std::collections::BTreeMap;

use calls::CALLS;
use cells::Subject;
use idl::Idl;
use stage::Stage;

const PROGRAMS: [&str; 2] = ["licensing", "payments"];

#[test]
fn matrix_covers_every_instruction() {
    for (program, idl) in PROGRAMS.iter().zip(Idl::committed()) {
        let described: Vec<_> = idl.instructions.iter().map(|call| call.name.as_str()).collect();
        let mut known: Vec<_> = CALLS.iter().filter(|call| call.0 == *program).collect();
        known.sort_by_key(|call| call.1);
        known.dedup_by_key(|call| call.1);
        let known: Vec<_> = known.into_iter().map(|call| call.1).collect();
        assert_eq!(described, known, "the IDL of {program} and the matrix");
    }
}

#[test]
fn substituted_account_is_rejected() {
    let idls = Idl::committed();
    let base = Stage::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (program, instruction, _, good) in CALLS {
        let idl = &idls[PROGRAMS.iter().position(|name| name == program).unwrap()];
        let mut described = idl.instructions.iter().filter(|known| known.name == *instruction);
        let described = described.next().unwrap();
        let mut stage = base.clone();
        let instructions = good(&mut stage);
        let subject = Subject::new(stage, instructions, &idl.id(), described, &idls);
        let mut untouched = subject.stage.clone();
        let call = untouched.call(subject.instructions.clone());
        let answer = untouched.world.send(call).answer();
        if answer != expected::ACCEPTED {
            wrong.push(format!("{program} {instruction}, as it should be: {answer}"));
            continue;
        }

        for index in 0..subject.metas().len() {
            for change in subject.changes(index, &idls) {
                let (mut stage, instructions) = subject.changed(index, &change, &idls);
                let call = stage.call(instructions);
                let answer = stage.world.send(call).answer();
                let expected = expected::expected(&subject, instruction, index, &change);
                let name = subject.name(index);
                let kind = &subject.kinds[index];
                let sort = if answer == "accepted" { "accepted" } else { change.name() };
                *counts.entry(sort).or_default() += 1;
                if !expected.contains(&answer.as_str()) {
                    wrong.push(format!(
                        "{program} {instruction} {name}[{index}] ({kind:?}), {change}: {answer}, not {expected:?}"
                    ));
                }
            }
        }
    }
    let unused = expected::unused();
    let all: usize = counts.values().sum();
    println!("{all} cells: {counts:?}");
    assert!(wrong.is_empty(), "{} cells\n{}", wrong.len(), wrong.join("\n"));
    assert!(unused.is_empty(), "exceptions that nothing needs: {unused:?}");
}

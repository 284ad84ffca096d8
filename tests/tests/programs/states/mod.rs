//! P22: every instruction about a work, in every state of the work, its parent and its terms.
//! Expected results are in `rules`, written from the design; actual results come from the
//! bytecode. `UPDATE_FIGURES=1` writes `docs/figures/states.md`.

mod figure;
mod rules;
mod scene;

use std::collections::BTreeMap;

use motif_tests::{figures, world::World};
use rules::{Parent, Terms, Work};
use scene::Scene;

/// Results of an instruction, by states.
pub type Cells = BTreeMap<(Work, Parent, Terms), String>;

/// Runs every instruction in every state of one kind of work.
fn cells_of(work: Work) -> Vec<(&'static str, (Work, Parent, Terms), String)> {
    let mut cells = Vec::new();
    for parent in Parent::ALL {
        for terms in Terms::ALL {
            let mut scene = Scene::new(work, parent, terms);
            for (instruction, call) in scene.calls() {
                let mut world: World = scene.world.clone();
                let answer = world.send(call).answer();
                let answer = if answer == "accepted" { rules::OK.to_string() } else { answer };
                cells.push((instruction, (work, parent, terms), answer));
            }
        }
    }
    cells
}

#[test]
fn states_permit_documented_calls() {
    let threads = Work::ALL.map(|work| std::thread::spawn(move || cells_of(work)));
    let cells = threads.into_iter().flat_map(|thread| thread.join().unwrap());
    let mut table: BTreeMap<&str, Cells> = BTreeMap::new();
    let mut order = Vec::new();
    let mut wrong = Vec::new();
    for (instruction, state, answer) in cells {
        let (work, parent, terms) = state;
        let expected = rules::expected(instruction, work, parent, terms);
        if answer != expected {
            wrong.push(format!("{instruction}, {state:?}: {answer}, not {expected}"));
        }
        if !order.contains(&instruction) {
            order.push(instruction);
        }
        table.entry(instruction).or_default().insert(state, answer);
    }
    let count: usize = table.values().map(BTreeMap::len).sum();
    println!("{count} cells");
    assert!(wrong.is_empty(), "{} of {count} cells\n{}", wrong.len(), wrong.join("\n"));
    let states = Work::ALL.len() * Parent::ALL.len() * Terms::ALL.len();
    assert_eq!(count, states * order.len(), "a cell is missing");
    figures::check("states.md", &figure::markdown(&order, &table));
}

//! Renders the table as a page; states with the same result are combined.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Cells,
    rules::{OK, Parent, Terms, Work},
};

const HEAD: &str = "# What happens in which state

Generated from a run on bytecode: every instruction about a work, in every state of the work, of the work it was made from and of
its terms. `UPDATE_FIGURES=1 cargo test --release --workspace --test programs states::` writes this page; without it the same command fails when the
page is not what the programs do, or when they do something else than the design says (`tests/tests/programs/states/rules.rs`).

- The *terms* are the work's first terms: none, not yet valid, valid, expired, or replaced by newer ones. If they were valid at some time,
  a license was accepted then and used.
- The *parent* is the work it was made from: none, active, withdrawn or disputed. A cell names the parent's state if it matters.
- `AccountNotInitialized`: the instruction's account does not exist. `system 0`: the account that it creates already exists.
- Instructions that read no work and no terms are left out: channels, fees, vaults, statement buffers, the deployment's config.
";

pub fn markdown(order: &[&str], table: &BTreeMap<&str, Cells>) -> String {
    let mut page = HEAD.to_string();
    let cells: usize = table.values().map(BTreeMap::len).sum();
    page += &format!("\n{} instructions, {cells} cells.\n\n", order.len());
    page += "| instruction |";
    for work in Work::ALL {
        page += &format!(" {work} |");
    }
    page += &format!("\n|---|{}\n", "---|".repeat(Work::ALL.len()));
    for instruction in order {
        page += &format!("| {instruction} |");
        for work in Work::ALL {
            page += &format!(" {} |", cell(&table[instruction], work));
        }
        page.push('\n');
    }
    page
}

/// Renders the results in one state of the work: one result, or one per state that differs.
fn cell(cells: &Cells, work: Work) -> String {
    let answer = |parent, terms| cells[&(work, parent, terms)].as_str();
    let by_terms = |parent| Terms::ALL.map(|terms| answer(parent, terms));
    let rows: BTreeSet<_> = Parent::ALL.map(by_terms).into_iter().collect();
    if rows.len() == 1 {
        return told(&Terms::ALL.map(|terms| (terms.to_string(), answer(Parent::None, terms))), "");
    }
    let by_parent = Parent::ALL.map(|parent| (parent.to_string(), answer(parent, Terms::Valid)));
    let only_parents = rows.iter().all(|row| row.iter().all(|answer| answer == &row[0]));
    assert!(only_parents, "the page cannot show a cell that depends on terms and parent");
    told(&by_parent, "parent ")
}

/// Renders `ok`, an error, or the states of each result.
fn told(answers: &[(String, &str)], of: &str) -> String {
    let mut states: Vec<(&str, Vec<&str>)> = Vec::new();
    for (state, answer) in answers {
        match states.iter_mut().find(|(other, _)| other == answer) {
            Some((_, of_these)) => of_these.push(state),
            None => states.push((answer, vec![state])),
        }
    }
    let quoted = |answer: &str| if answer == OK { OK.to_string() } else { format!("`{answer}`") };
    if let [(answer, _)] = &states[..] {
        return quoted(answer);
    }
    let parts: Vec<_> = states
        .iter()
        .map(|(answer, states)| format!("{of}{}: {}", states.join(", "), quoted(answer)))
        .collect();
    parts.join("<br>")
}

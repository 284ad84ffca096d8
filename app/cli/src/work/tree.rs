use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use clap::Args;
use motif_sdk::{
    Pubkey,
    gateway::wire::LineageFacts,
    licensing::WorkStatus,
    lineage::{Lineage, Relative},
};
use serde::Serialize;
use termtree::Tree;

use crate::{
    amount::{percent, percent_of_ppb},
    error::CliError,
    reference::WorkArgs,
    session::Session,
};

/// Maximum number of generations that are drawn; `--json` has all.
const DRAWN_GENERATIONS: u32 = 32;

/// End of the share of a relative along all paths.
const IN_TOTAL: &str = " in total)";

/// Arguments of `motif work tree`.
#[derive(Args)]
pub struct TreeArgs {
    #[command(flatten)]
    work: WorkArgs,
}

/// Output of `motif work tree`.
#[derive(Serialize)]
struct TreeOutput {
    #[serde(flatten)]
    facts: LineageFacts,
    #[serde(skip)]
    drawing: String,
}

pub async fn run(args: TreeArgs, session: &Session) -> Result<(), CliError> {
    let client = session.client().await?;
    let address = args.work.address(&client).await?;
    let lineage = client.lineage(&address).await?;
    let facts = LineageFacts::from(&lineage);
    session.print(&TreeOutput { facts, drawing: draw(&lineage) });
    Ok(())
}

impl fmt::Display for TreeOutput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.drawing)
    }
}

/// Draws a work with its ancestors as one branch and its descendants as another.
fn draw(lineage: &Lineage) -> String {
    let root = &lineage.work;
    let mut tree = Tree::new(name(root));
    if lineage.ancestors.is_empty() && lineage.descendants.is_empty() {
        return format!("{}\n\nThe work has no parents and no derivatives.", tree.root);
    }
    let up = Drawing::new(&lineage.ancestors, |relative| {
        relative.parents.iter().map(|parent| (parent.work, parent.share_bps)).collect()
    });
    let up = up.branches(root, &mut BTreeSet::new(), 1);
    let mut children: BTreeMap<Pubkey, Vec<(Pubkey, u16)>> = BTreeMap::new();
    for relative in &lineage.descendants {
        for parent in &relative.parents {
            children.entry(parent.work).or_default().push((relative.address, parent.share_bps));
        }
    }
    let below = |relative: &Relative| children.get(&relative.address).cloned().unwrap_or_default();
    let down = Drawing::new(&lineage.descendants, below);
    let down = down.branches(root, &mut BTreeSet::new(), 1);
    for (title, branches) in [("ancestors", up), ("descendants", down)] {
        if !branches.is_empty() {
            tree.push(Tree::new(title.to_owned()).with_leaves(branches));
        }
    }
    let drawn = tree.to_string();
    let total = if drawn.contains(IN_TOTAL) { "; `in total` counts all paths" } else { "" };
    let note = format!("A percentage is the parent's share of its child's earnings{total}.");
    format!("{}\n\n{note}", drawn.trim_end())
}

/// One direction of a lineage.
struct Drawing<'a, Next> {
    relatives: BTreeMap<Pubkey, &'a Relative>,
    next: Next,
}

impl<'a, Next: Fn(&Relative) -> Vec<(Pubkey, u16)>> Drawing<'a, Next> {
    fn new(relatives: &'a [Relative], next: Next) -> Self {
        let relatives = relatives.iter().map(|relative| (relative.address, relative));
        Self { relatives: relatives.collect(), next }
    }

    /// Returns the branches below a work. A work that was drawn before is only named.
    fn branches(
        &self,
        of: &Relative,
        drawn: &mut BTreeSet<Pubkey>,
        generation: u32,
    ) -> Vec<Tree<String>> {
        let mut branches = Vec::new();
        for (address, share_bps) in (self.next)(of) {
            let Some(relative) = self.relatives.get(&address) else { continue };
            let mut line = format!("{}  {}", percent(share_bps), name(relative));
            if relative.distance > 1 || percent_of_ppb(relative.share_ppb) != percent(share_bps) {
                line += &format!("  ({}{IN_TOTAL}", percent_of_ppb(relative.share_ppb));
            }
            if !drawn.insert(address) {
                branches.push(Tree::new(line + "  (as above)"));
                continue;
            }
            let mut branch = Tree::new(line);
            if generation < DRAWN_GENERATIONS {
                branch = branch.with_leaves(self.branches(relative, drawn, generation + 1));
            } else if !(self.next)(relative).is_empty() {
                branch.push(Tree::new("...".to_owned()));
            }
            branches.push(branch);
        }
        branches
    }
}

fn name(relative: &Relative) -> String {
    let kind = relative.kind;
    match relative.status {
        WorkStatus::Active => format!("{kind} {}", relative.address),
        status => format!("{kind} {}, {}", relative.address, status),
    }
}

#[cfg(test)]
mod tests {
    use motif_sdk::licensing::{Parent, WorkKind};

    use super::*;

    fn key(number: u8) -> Pubkey {
        Pubkey::new_from_array([number; 32])
    }

    fn relative(number: u8, distance: u32, share_ppb: u32, parents: &[(u8, u16)]) -> Relative {
        let parent = |(work, share_bps): &(u8, u16)| Parent {
            work: key(*work),
            share_bps: *share_bps,
            terms_number: 0,
        };
        Relative {
            address: key(number),
            kind: WorkKind::Image,
            status: if number == 1 { WorkStatus::Withdrawn } else { WorkStatus::Active },
            distance,
            share_ppb,
            parents: parents.iter().map(parent).collect(),
        }
    }

    #[test]
    fn lineage_is_drawn_with_all_shares() {
        let lineage = Lineage {
            work: relative(4, 0, 1_000_000_000, &[(2, 5_000), (3, 2_500)]),
            ancestors: vec![
                relative(2, 1, 500_000_000, &[(1, 2_000)]),
                relative(3, 1, 250_000_000, &[(1, 4_000)]),
                relative(1, 2, 200_000_000, &[]),
            ],
            descendants: vec![relative(5, 1, 100_000_000, &[(4, 1_000)])],
        };
        let drawn = draw(&lineage);
        let lines: Vec<_> = drawn.lines().take(8).collect();
        let expected = [
            format!("image {}", key(4)),
            "├── ancestors".to_owned(),
            format!("│   ├── 50%  image {}", key(2)),
            format!("│   │   └── 20%  image {}, withdrawn  (20% in total)", key(1)),
            format!("│   └── 25%  image {}", key(3)),
            format!("│       └── 40%  image {}, withdrawn  (20% in total)  (as above)", key(1)),
            "└── descendants".to_owned(),
            format!("    └── 10%  image {}", key(5)),
        ];
        assert_eq!(lines, expected);
        assert!(drawn.ends_with("; `in total` counts all paths."), "{drawn}");
    }

    #[test]
    fn note_explains_only_what_is_drawn() {
        let lineage = Lineage {
            work: relative(4, 0, 1_000_000_000, &[(2, 5_000)]),
            ancestors: vec![relative(2, 1, 500_000_000, &[])],
            descendants: Vec::new(),
        };
        let drawn = draw(&lineage);
        assert!(drawn.ends_with("its child's earnings.") && !drawn.contains("total"), "{drawn}");
    }

    #[test]
    fn work_without_relatives_is_drawn_alone() {
        let alone = Lineage {
            work: relative(4, 0, 1_000_000_000, &[]),
            ancestors: Vec::new(),
            descendants: Vec::new(),
        };
        assert!(draw(&alone).starts_with(&format!("image {}\n\nThe work has no parents", key(4))));
    }
}

//! Import circles: source files of one crate that take names from each other.
//!
//! A file imports another one if it names an item that the other one defines, by a `use` or by a
//! path. Declaring a module or re-exporting its items is not an import: a name taken through a
//! re-export counts as taken from the file that defines it. A submodule may take names from the
//! modules that it lies in: together they are one unit. Unit tests and integration tests are left out;
//! crates of test support are not.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use syn::{
    Attribute, Item, Macro, UseTree, Visibility,
    visit::{self, Visit},
};

use crate::tree::tracked;

/// Prints every circle with its imported names, and returns whether there are no circles.
///
/// # Errors
/// Fails when the checkout cannot be read or a source file is not Rust.
pub fn check(root: &Path) -> Result<bool> {
    let files = tracked(root, &["rs"])?;
    let mut circles = 0;
    for (folder, sources) in crates(&files) {
        let crate_ = Crate::parse(&sources)
            .with_context(|| format!("parsing the crate in {}", folder.display()))?;
        let imports = crate_.imports();
        for circle in strongly_connected(&imports) {
            circles += 1;
            println!("circle {circles}: {} files", circle.len());
            for (from, names) in imports.iter().filter(|(from, _)| circle.contains(*from)) {
                for (to, names) in names.iter().filter(|(to, _)| circle.contains(*to)) {
                    let names: Vec<&str> = names.iter().map(String::as_str).collect();
                    println!("  {} -> {}: {}", from.display(), to.display(), names.join(", "));
                }
            }
        }
    }
    println!("import circles: {circles} (at most 0)");
    Ok(circles == 0)
}

/// Returns the sources of each library or binary crate, by its `src` folder.
fn crates(files: &[(PathBuf, String)]) -> BTreeMap<PathBuf, Vec<(PathBuf, &str)>> {
    let mut crates: BTreeMap<PathBuf, Vec<(PathBuf, &str)>> = BTreeMap::new();
    let roots: BTreeSet<PathBuf> = files
        .iter()
        .filter(|(path, _)| path.ends_with("src/lib.rs") || path.ends_with("src/main.rs"))
        .filter_map(|(path, _)| path.parent().map(Path::to_owned))
        .collect();
    for (path, text) in files {
        if let Some(root) = roots.iter().find(|root| path.starts_with(root)) {
            crates.entry(root.clone()).or_default().push((path.clone(), text));
        }
    }
    crates
}

type ModulePath = Vec<String>;
/// Imported names, from file to file.
type Imports = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// Module with its own file.
struct Module {
    file: PathBuf,
    /// Items defined in the file, without submodules.
    defined: BTreeSet<String>,
    /// Names that other modules can take from here but that are defined elsewhere.
    exported: Vec<Use>,
    /// All paths in the file, split at `::`.
    named: Vec<Vec<String>>,
    /// `use` declarations, including private ones, which resolve first segments.
    used: Vec<Use>,
}

/// One name or glob of a `use`.
struct Use {
    path: Vec<String>,
    /// Local name; `None` for a glob.
    name: Option<String>,
}

struct Crate {
    modules: BTreeMap<ModulePath, Module>,
}

impl Crate {
    fn parse(sources: &[(PathBuf, &str)]) -> Result<Self> {
        let mut modules = BTreeMap::new();
        for (path, text) in sources {
            let syntax =
                syn::parse_file(text).with_context(|| format!("parsing {}", path.display()))?;
            if let Some(module) = module_path(path).filter(|module| !is_test_module(module)) {
                modules.insert(module, Module::of(path, &syntax.items));
            }
        }
        Ok(Self { modules })
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (at, module) in &self.modules {
            let names = module.named.iter().chain(module.used.iter().map(|used| &used.path));
            for path in names {
                let Some((file, name)) = self.definition(at, path, 0) else { continue };
                if !self.encloses(&file, at) {
                    let to = imports.entry(module.file.clone()).or_default();
                    to.entry(file).or_default().insert(name);
                }
            }
        }
        imports
    }

    /// Returns whether `file` is that of the module `at` or of an enclosing one.
    fn encloses(&self, file: &Path, at: &[String]) -> bool {
        (0..=at.len())
            .filter_map(|depth| self.modules.get(&at[..depth]))
            .any(|module| module.file == file)
    }

    /// Returns the file and name of the item that `path` refers to in the module `at`.
    fn definition(
        &self,
        at: &[String],
        path: &[String],
        depth: usize,
    ) -> Option<(PathBuf, String)> {
        if depth > 16 {
            return None;
        }
        let (mut module, mut rest) = self.start(at, path, depth)?;
        while let [segment, after @ ..] = rest.as_slice() {
            let here = self.modules.get(&module)?;
            let child: ModulePath = module.iter().cloned().chain([segment.clone()]).collect();
            if self.modules.contains_key(&child) {
                (module, rest) = (child, after.to_vec());
                continue;
            }
            if here.defined.contains(segment) {
                return Some((here.file.clone(), segment.clone()));
            }
            for exported in &here.exported {
                let found = match &exported.name {
                    Some(name) if name == segment => {
                        self.definition(&module, &exported.path, depth + 1)
                    }
                    Some(_) => None,
                    None => {
                        let mut path = exported.path.clone();
                        path.push(segment.clone());
                        self.definition(&module, &path, depth + 1)
                    }
                };
                if found.is_some() {
                    return found;
                }
            }
            return None;
        }
        None
    }

    /// Returns the module where a path begins, and the rest of the path.
    fn start(
        &self,
        at: &[String],
        path: &[String],
        depth: usize,
    ) -> Option<(ModulePath, Vec<String>)> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((Vec::new(), rest.to_vec())),
            "self" => Some((at.to_vec(), rest.to_vec())),
            "super" => {
                let mut module = at.to_vec();
                let mut rest = path;
                while let Some((_, after)) = rest.split_first().filter(|(word, _)| *word == "super")
                {
                    module.pop()?;
                    rest = after;
                }
                Some((module, rest.to_vec()))
            }
            _ => {
                let child: ModulePath = at.iter().cloned().chain([first.clone()]).collect();
                if self.modules.contains_key(&child) {
                    return Some((child, rest.to_vec()));
                }
                // A module imported by a `use`, such as `chain` of `chain::Node`.
                let here = self.modules.get(at)?;
                let used = here.used.iter().find(|used| {
                    used.name.as_ref() == Some(first) && used.path.first() != Some(first)
                })?;
                let mut path = used.path.clone();
                path.extend(rest.iter().cloned());
                if depth > 16 || rest.is_empty() {
                    return None;
                }
                self.start(at, &path, depth + 1)
            }
        }
    }
}

impl Module {
    fn of(file: &Path, items: &[Item]) -> Self {
        let mut reader = Reader::default();
        for item in items {
            reader.visit_item(item);
        }
        let Reader { defined, exported, named, used } = reader;
        Self { file: file.to_owned(), defined, exported, named, used }
    }
}

#[derive(Default)]
struct Reader {
    defined: BTreeSet<String>,
    exported: Vec<Use>,
    named: Vec<Vec<String>>,
    used: Vec<Use>,
}

impl Reader {
    fn define(&mut self, name: &syn::Ident) {
        self.defined.insert(name.to_string());
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes(item).iter().any(is_cfg_test) {
            return;
        }
        match item {
            Item::Use(item) => {
                let mut uses = Vec::new();
                flatten(&item.tree, &mut Vec::new(), &mut uses);
                if matches!(item.vis, Visibility::Inherited) {
                    self.used.extend(uses);
                } else {
                    self.exported.extend(uses);
                }
                return;
            }
            Item::Const(item) => self.define(&item.ident),
            Item::Enum(item) => self.define(&item.ident),
            Item::Fn(item) => self.define(&item.sig.ident),
            Item::Macro(item) => item.ident.iter().for_each(|name| self.define(name)),
            Item::Static(item) => self.define(&item.ident),
            Item::Struct(item) => self.define(&item.ident),
            Item::Trait(item) => self.define(&item.ident),
            Item::Type(item) => self.define(&item.ident),
            Item::Union(item) => self.define(&item.ident),
            Item::Mod(item) if item.content.is_some() => {
                self.define(&item.ident);
            }
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.named.push(path.segments.iter().map(|part| part.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, macro_: &'ast Macro) {
        // Arguments of most macros are expressions; others are ignored.
        let parse = syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = macro_.parse_body_with(parse) {
            for argument in arguments {
                let mut inner = Reader::default();
                inner.visit_expr(&argument);
                self.named.extend(inner.named);
            }
        }
        visit::visit_macro(self, macro_);
    }
}

fn flatten(tree: &UseTree, before: &mut Vec<String>, into: &mut Vec<Use>) {
    let mut push = |before: &[String], last: String, name: Option<String>| {
        let mut path = before.to_vec();
        if last != "self" || path.is_empty() {
            path.push(last);
        }
        into.push(Use { path, name });
    };
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            flatten(&path.tree, before, into);
            before.pop();
        }
        UseTree::Name(name) => {
            let last = name.ident.to_string();
            let here = if last == "self" { before.last().cloned() } else { Some(last.clone()) };
            push(before, last, here);
        }
        UseTree::Rename(name) => {
            push(before, name.ident.to_string(), Some(name.rename.to_string()))
        }
        UseTree::Glob(_) => into.push(Use { path: before.clone(), name: None }),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, before, into);
            }
        }
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_cfg_test(attribute: &Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
}

/// `src/store/mod.rs` is `store`, `src/store/writer.rs` is `store::writer`, `src/lib.rs` the root.
fn module_path(file: &Path) -> Option<ModulePath> {
    let mut parts: Vec<String> =
        file.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let source = parts.iter().position(|part| part == "src")?;
    let name = parts.pop()?;
    let mut module = parts.split_off(source + 1);
    match name.strip_suffix(".rs")? {
        "mod" => {}
        "lib" | "main" if module.is_empty() => {}
        name => module.push(name.to_owned()),
    }
    Some(module)
}

fn is_test_module(module: &[String]) -> bool {
    module.last().is_some_and(|name| name == "tests")
}

/// Returns the sets of two or more files that import each other.
fn strongly_connected(imports: &Imports) -> Vec<BTreeSet<&PathBuf>> {
    let reach = |from| -> BTreeSet<&PathBuf> {
        let mut reached = BTreeSet::new();
        let mut open = vec![from];
        while let Some(file) = open.pop() {
            for next in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(next) {
                    open.push(next);
                }
            }
        }
        reached
    };
    let reached: BTreeMap<&PathBuf, BTreeSet<&PathBuf>> =
        imports.keys().map(|file| (file, reach(file))).collect();
    let mut circles: Vec<BTreeSet<&PathBuf>> = Vec::new();
    for (file, others) in reached.iter().filter(|(file, others)| others.contains(*file)) {
        let circle: BTreeSet<&PathBuf> = others
            .iter()
            .filter(|other| reached.get(*other).is_some_and(|back| back.contains(*file)))
            .copied()
            .collect();
        if !circles.contains(&circle) {
            circles.push(circle);
        }
    }
    circles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(sources: &[(&str, &'static str)]) -> Vec<Vec<String>> {
        let sources: Vec<(PathBuf, &str)> =
            sources.iter().map(|(path, text)| (PathBuf::from(path), *text)).collect();
        let imports = Crate::parse(&sources).unwrap().imports();
        let name = |path: &&PathBuf| path.display().to_string();
        strongly_connected(&imports)
            .iter()
            .map(|circle| circle.iter().map(name).collect())
            .collect()
    }

    #[test]
    fn mutual_use_is_a_circle() {
        let found = circles(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use crate::b::B; pub struct A(B);"),
            ("src/b.rs", "pub struct B; fn f() -> Option<super::a::A> { None }"),
        ]);
        assert_eq!(found, [["src/a.rs", "src/b.rs"]]);
    }

    #[test]
    fn reexport_leads_to_the_defining_file() {
        let found = circles(&[
            ("src/lib.rs", "mod store;"),
            ("src/store/mod.rs", "mod job; mod writer; pub use job::Job; pub use writer::*;"),
            ("src/store/job.rs", "pub struct Job;"),
            ("src/store/writer.rs", "use super::Job; pub struct Writer(Job);"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn circle_through_reexports_is_found() {
        let found = circles(&[
            ("src/lib.rs", "mod store;"),
            ("src/store/mod.rs", "mod job; mod writer; pub use job::Job; pub use writer::*;"),
            ("src/store/job.rs", "use crate::store::Writer; pub struct Job(Writer);"),
            ("src/store/writer.rs", "use super::Job; pub struct Writer(Job);"),
        ]);
        assert_eq!(found, [["src/store/job.rs", "src/store/writer.rs"]]);
    }

    #[test]
    fn submodule_may_use_its_parent() {
        let found = circles(&[
            ("src/lib.rs", "mod ledger;"),
            ("src/ledger/mod.rs", "mod part; pub struct Ledger(part::Part);"),
            ("src/ledger/part.rs", "use super::Ledger; pub struct Part(Box<Ledger>);"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn tests_tie_no_circle() {
        let found = circles(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use crate::b::B; pub struct A(B);"),
            ("src/b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
        ]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn path_through_imported_module_counts() {
        let found = circles(&[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use crate::b; pub fn f() { b::g(); }"),
            ("src/b.rs", "pub fn g() { crate::a::f() }"),
        ]);
        assert_eq!(found, [["src/a.rs", "src/b.rs"]]);
    }
}

//! Tests, fields and examples that the documents name exist.

use std::path::{Path, PathBuf};

use motif_sdk::terms::{Document, DocumentError, Preset, check, pil};

/// 2026-01-01 00:00:00 UTC.
const NOW: i64 = 1_767_225_600;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

fn examples(extension: &str) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(docs().join("examples/terms")).unwrap();
    let mut paths: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths.sort();
    assert!(!paths.is_empty(), "no *.{extension}");
    paths
}

/// Returns each ``[`name`](path)`` whose path is a Rust file: name, and path from the document's
/// folder.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    let links = text.split("[`").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once("`](")?;
        let (path, _) = rest.split_once(')')?;
        path.ends_with(".rs").then_some((name, path))
    });
    links.collect()
}

#[test]
fn terms_table_names_existing_tests() {
    let text = std::fs::read_to_string(docs().join("terms.md")).unwrap();
    let named = named_tests(&text);
    assert!(named.len() > 30, "only {} tests are named", named.len());
    for (name, path) in named {
        let source = std::fs::read_to_string(docs().join(path));
        let source = source.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(source.contains(&format!("fn {name}(")), "{path} has no test {name}");
    }
}

#[test]
fn every_terms_field_has_a_row() {
    let text = std::fs::read_to_string(docs().join("terms.md")).unwrap();
    let offer = Document::open(&docs().join("examples/terms/illustrator.toml")).unwrap();
    let offer = offer.offer(Some(6)).unwrap();
    // Destructured, so that a new field does not compile before its row is tested.
    let motif_sdk::licensing::Offer {
        commercial: _,
        attribution: _,
        sublicensing: _,
        approval_required: _,
        derivatives: _,
        share_alike: _,
        derivative_share_bps: _,
        upfront_fee: _,
        free_units: _,
        caps: _,
        valid_from: _,
        expires_at: _,
        notice_seconds: _,
        legal_digest: _,
        uses: _,
        operators: _,
        legal_uri: _,
    } = &offer;
    for field in [
        "commercial",
        "attribution",
        "sublicensing",
        "approval_required",
        "derivatives",
        "share_alike",
        "derivative_share_bps",
        "upfront_fee",
        "free_units",
        "caps.total_units",
        "caps.daily_units",
        "caps.licensee_units",
        "caps.revenue",
        "valid_from",
        "expires_at",
        "notice_seconds",
        "legal_digest",
        "uses[].licensed_use",
        "uses[].unit",
        "uses[].price",
        "operators",
        "legal_uri",
    ] {
        let rows = text.lines().filter(|line| line.starts_with('|'));
        let rows = rows.filter(|row| row.contains(&format!("`{field}`"))).count();
        assert!(rows >= 2, "`{field}` needs a row on enforcement and one on other formats");
    }
}

#[test]
fn terms_examples_are_publishable() {
    for path in examples("toml") {
        let offer = Document::open(&path).and_then(|document| document.offer(Some(6)));
        let checked = offer.and_then(|offer| check(&offer, NOW));
        assert_eq!(checked, Ok(()), "{}", path.display());
    }
}

#[test]
fn every_preset_has_an_example() {
    let used: Vec<_> =
        examples("toml").iter().filter_map(|path| Document::open(path).unwrap().preset).collect();
    let unused: Vec<_> = Preset::ALL.into_iter().filter(|preset| !used.contains(preset)).collect();
    assert_eq!(unused, []);
}

#[test]
fn story_example_needs_only_a_price() {
    for path in examples("json") {
        let json = std::fs::read_to_string(&path).unwrap();
        let imported = pil::import(&json, pil::USUAL_DECIMALS, NOW).unwrap();
        let refused = imported.document.offer(Some(6)).unwrap_err();
        assert!(matches!(refused, DocumentError::NoPrice { .. }), "{refused}");
    }
}

/// Returns the names of the tests in a Rust file.
fn tests_of(path: &Path) -> Vec<String> {
    let source = std::fs::read_to_string(path);
    let source = source.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let tests = source.split("#[test]").skip(1);
    tests.filter_map(|rest| Some(rest.split_once("fn ")?.1.split_once('(')?.0.into())).collect()
}

#[test]
fn attack_table_names_existing_tests() {
    const COUNTS: [&str; 9] =
        ["three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"];
    let text = std::fs::read_to_string(docs().join("attacks.md")).unwrap();
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| P")).collect();
    assert_eq!(rows.len(), 39);
    let attacks = docs().join("../tests/tests/programs/attacks");
    let mut modules = vec!["mod".to_string()];
    for row in rows {
        // Between backticks: a module, a test in one, or a path; after it an optional count.
        let parts: Vec<_> = row.split('`').skip(1).collect();
        for named in parts.chunks_exact(2) {
            let (place, test) = named[0].split_once("::").unwrap_or((named[0], ""));
            if place.contains('/') {
                let path = docs().join("..").join(place);
                assert!(path.exists(), "{row}: no {place}");
                assert!(test.is_empty() || tests_of(&path).contains(&test.into()), "{row}: {test}");
                continue;
            }
            let tests = tests_of(&attacks.join(place).with_extension("rs"));
            assert!(test.is_empty() || tests.contains(&test.into()), "{row}: no {test}");
            let counted = COUNTS.iter().position(|word| named[1].starts_with(&format!(" ({word}")));
            assert!(counted.is_none_or(|count| tests.len() == count + 3), "{row}: {place}");
            modules.push(place.into());
        }
    }
    for file in std::fs::read_dir(attacks).unwrap() {
        let module = file.unwrap().path().with_extension("");
        let module = module.file_name().unwrap().to_string_lossy().into_owned();
        assert!(modules.contains(&module), "no row names `{module}`");
    }
}

/// Returns the names of the functions in a Rust file, async ones included.
fn functions_of(path: &Path) -> Vec<String> {
    let source = std::fs::read_to_string(path).unwrap_or_default();
    let functions = source.split("fn ").skip(1);
    functions.filter_map(|rest| Some(rest.split_once('(')?.0.to_owned())).collect()
}

#[test]
fn gateway_attacks_name_existing_tests() {
    let text = std::fs::read_to_string(docs().join("attacks.md")).unwrap();
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| G")).collect();
    assert!(rows.len() >= 28, "{}", rows.len());
    let root = docs().join("..");
    let gateway = root.join("app/gateway/tests/gateway");
    for row in rows {
        // A test without a module or path is in the file named before it.
        let mut file = PathBuf::new();
        for named in row.split('`').skip(1).step_by(2).filter(|named| !named.contains(' ')) {
            let (place, test) = match named.split_once("::") {
                Some((place, test)) => (Some(place), Some(test)),
                None if named.contains('/')
                    || gateway.join(named).with_extension("rs").exists() =>
                {
                    (Some(named), None)
                }
                None => (None, Some(named)),
            };
            if let Some(place) = place {
                let in_gateway = gateway.join(place).with_extension("rs");
                file = if place.contains('/') { root.join(place) } else { in_gateway };
                assert!(file.exists(), "{row}: no {place}");
            }
            if let Some(test) = test {
                assert!(functions_of(&file).contains(&test.into()), "{row}: no {test}");
            }
        }
    }
}

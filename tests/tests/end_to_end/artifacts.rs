//! Compares the committed bytecode, of programs and of WebAssembly modules, and its manifests with the
//! checkout's sources.

use std::{
    fs,
    path::{Path, PathBuf},
};

use program_manifest::{Checkout, Drift, MODULES, PROGRAMS, SOLANA, WEB_ASSEMBLY};
use tempfile::TempDir;

/// Returns the checkout of this test.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Creates a copy of the manifest's inputs.
fn copy_of_checkout() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in ["Cargo.toml", "Cargo.lock"] {
        fs::copy(root().join(file), copy.path().join(file)).unwrap();
    }
    for directory in ["programs", "sdk", "toolchain"] {
        copy_directory(&root().join(directory), &copy.path().join(directory));
    }
    copy
}

fn copy_directory(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (path, target) = (entry.path(), to.join(entry.file_name()));
        if !path.is_dir() {
            fs::copy(path, target).unwrap();
        } else if !["target", "node_modules", ".venv"].iter().any(|name| entry.file_name() == *name)
        {
            copy_directory(&path, &target);
        }
    }
}

/// Returns the differences of programs that `change` causes.
fn drifts_after(change: impl FnOnce(&Path)) -> Vec<Drift> {
    differences(change, Checkout::programs)
}

/// Returns the differences of modules that `change` causes.
fn module_drifts_after(change: impl FnOnce(&Path)) -> Vec<Drift> {
    differences(change, Checkout::modules)
}

fn differences(change: impl FnOnce(&Path), of: fn(PathBuf) -> Checkout) -> Vec<Drift> {
    let copy = copy_of_checkout();
    let checkout = of(copy.path().to_owned());
    let before = checkout.drifts().unwrap();
    change(copy.path());
    let after = checkout.drifts().unwrap();
    after.into_iter().filter(|drift| !before.contains(drift)).collect()
}

fn messages(drifts: &[Drift]) -> String {
    drifts.iter().map(Drift::to_string).collect::<Vec<_>>().join("\n")
}

/// Changes the checksum of `package`, as a new release does.
fn change_checksum(root: &Path, package: &str) {
    let path = root.join("Cargo.lock");
    let lock = fs::read_to_string(&path).unwrap();
    let entry = lock.find(&format!("name = \"{package}\"\n")).unwrap();
    let checksum = entry + lock[entry..].find("checksum = \"").unwrap() + "checksum = \"".len();
    fs::write(&path, format!("{}{:064x}{}", &lock[..checksum], 1, &lock[checksum + 64..])).unwrap();
}

#[test]
fn bytecode_matches_sources() {
    let drifts = Checkout::programs(root()).drifts().unwrap();

    assert!(drifts.is_empty(), "{}", messages(&drifts));
}

#[test]
fn modules_match_sources() {
    let drifts = Checkout::modules(root()).drifts().unwrap();

    assert!(drifts.is_empty(), "{}", messages(&drifts));
}

#[test]
fn payer_change_makes_its_modules_stale() {
    let drifts = module_drifts_after(|root| {
        fs::write(root.join("sdk/payer/src/added.rs"), "// new").unwrap();
    });

    assert_eq!(drifts, [Drift::Sources(&MODULES[0]), Drift::Sources(&MODULES[1])]);
    let expected = "sources of motif_payer changed; run toolchain/build-wasm.sh motif_payer";
    assert!(messages(&drifts).starts_with(expected));
}

#[test]
fn terms_change_makes_core_stale() {
    let drifts = module_drifts_after(|root| {
        fs::write(root.join("sdk/terms/src/added.rs"), "// new").unwrap();
    });

    assert_eq!(drifts, [Drift::Sources(&MODULES[1])]);
}

#[test]
fn decoder_change_makes_content_stale() {
    let drifts = module_drifts_after(|root| change_checksum(root, "rusty-chromaprint"));

    assert_eq!(drifts, [Drift::Sources(&MODULES[2])]);
}

#[test]
fn build_change_makes_modules_stale() {
    let drifts = module_drifts_after(|root| {
        fs::write(root.join("toolchain/build-wasm.sh"), "exit").unwrap();
    });

    let stale = |module| Drift::Toolchain(module, WEB_ASSEMBLY.remedy);
    assert_eq!(drifts, MODULES.each_ref().map(stale));
}

#[test]
fn interface_change_makes_both_stale() {
    let drifts = drifts_after(|root| {
        fs::write(root.join("programs/interface/src/added.rs"), "// new").unwrap();
    });

    assert_eq!(drifts, [Drift::Sources(&PROGRAMS[0]), Drift::Sources(&PROGRAMS[1])]);
    assert_eq!(
        drifts[0].to_string(),
        "sources of licensing changed; run toolchain/build-programs.sh"
    );
}

#[test]
fn payments_change_keeps_licensing_fresh() {
    let drifts = drifts_after(|root| {
        fs::write(root.join("programs/payments/src/lib.rs"), "// new").unwrap();
    });

    assert_eq!(drifts, [Drift::Sources(&PROGRAMS[1])]);
}

#[test]
fn program_dependency_makes_stale() {
    let drifts = drifts_after(|root| change_checksum(root, "anchor-lang"));

    assert_eq!(drifts, [Drift::Sources(&PROGRAMS[0]), Drift::Sources(&PROGRAMS[1])]);
}

#[test]
fn gateway_dependency_keeps_fresh() {
    assert_eq!(drifts_after(|root| change_checksum(root, "axum")), []);
}

#[test]
fn workspace_row_makes_users_stale() {
    let drifts = drifts_after(|root| {
        let path = root.join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap();
        let manifest = manifest
            .replace("\naxum = ", "\naxum = { version = \"0.8\" } # ")
            .replace("\nanchor-lang = {", "\nanchor-lang = { optional = false,");
        fs::write(&path, manifest).unwrap();
    });

    assert_eq!(drifts, [Drift::Sources(&PROGRAMS[0]), Drift::Sources(&PROGRAMS[1])]);
}

#[test]
fn toolchain_change_makes_all_stale() {
    let drifts = drifts_after(|root| {
        fs::write(root.join("toolchain/pins.sh"), "RUST_VERSION=1.96.0").unwrap();
    });

    let stale = |program| Drift::Toolchain(program, SOLANA.remedy);
    assert_eq!(drifts, PROGRAMS.each_ref().map(stale));
}

#[test]
fn changed_bytecode_is_detected() {
    let drifts = drifts_after(|root| {
        let path = root.join("programs/artifacts/payments.so");
        let mut bytecode = fs::read(&path).unwrap();
        *bytecode.last_mut().unwrap() ^= 1;
        fs::write(&path, bytecode).unwrap();
    });

    assert_eq!(drifts, [Drift::Bytecode(&PROGRAMS[1])]);
}

#[test]
fn program_addresses_agree() {
    let anchor = fs::read_to_string(root().join("Anchor.toml")).unwrap();
    let declared = [("licensing", licensing::ID), ("payments", payments::ID)];
    for (name, id) in declared {
        let program = PROGRAMS.iter().find(|program| program.name == name).unwrap();
        assert_eq!(program.id.unwrap(), id.to_string());

        assert!(anchor.contains(&format!("{name} = \"{id}\"")), "Anchor.toml on {name}");

        let idl = fs::read_to_string(root().join("idl").join(name).with_extension("json")).unwrap();
        let idl: serde_json::Value = serde_json::from_str(&idl).unwrap();
        assert_eq!(idl["address"], id.to_string(), "the IDL of {name}");
    }
}

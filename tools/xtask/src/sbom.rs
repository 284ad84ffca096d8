//! Software bill of materials of the `motif` binary, in the CycloneDX format.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::shipped::{Package, packages};

/// Program of another project that the local network loads, and its license.
const TOKEN_METADATA: &str = "programs/artifacts/token_metadata.so";

/// Prints the bill of a binary. The same binary, sources and `SOURCE_DATE_EPOCH` give the same bytes.
///
/// # Errors
/// Fails when the packages cannot be listed or a file cannot be read.
pub fn print(root: &Path, binary: &Path) -> Result<bool> {
    let packages = packages(root)?;
    let main = packages.iter().find(|package| package.name == "motif-cli");
    let main = main.context("motif-cli is not among the packages of the binary")?;
    let mut components: Vec<Value> =
        packages.iter().filter(|package| package.name != main.name).map(component).collect();
    components.push(json!({
        "type": "file",
        "bom-ref": TOKEN_METADATA,
        "name": "token_metadata.so",
        "description": "Metaplex's Token Metadata program, for the local network",
        "hashes": [{ "alg": "SHA-256", "content": sha256(&root.join(TOKEN_METADATA))? }],
        "licenses": [{ "expression": "LicenseRef-mpl-token-metadata" }],
    }));
    let dependencies: Vec<Value> = packages
        .iter()
        .map(|package| json!({ "ref": package.url(), "dependsOn": package.dependencies }))
        .collect();
    let bill = json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": main.url(),
                "name": "motif",
                "version": main.version,
                "licenses": [{ "expression": main.license }],
                "hashes": [{ "alg": "SHA-256", "content": sha256(binary)? }],
            },
        },
        "components": components,
        "dependencies": dependencies,
    });
    println!("{}", serde_json::to_string_pretty(&bill)?);
    Ok(true)
}

fn component(package: &Package) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": package.url(),
        "name": package.name,
        "version": package.version,
        "licenses": [{ "expression": package.license }],
    });
    if !package.own {
        component["purl"] = json!(package.url());
    }
    if let Some((algorithm, digest)) = &package.digest {
        component["hashes"] = json!([{ "alg": algorithm, "content": digest }]);
    }
    component
}

fn sha256(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(hex::encode(Sha256::digest(bytes)))
}

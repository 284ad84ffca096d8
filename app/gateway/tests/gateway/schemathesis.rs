//! Tests every operation with requests derived from the served OpenAPI description.

use std::process::Command;

use crate::world::{SECRET, World, with_admin};

/// Python packages are not part of the pinned toolchain. The gate installs them and then requires
/// this test to run.
const REQUIRED: &str = "MOTIF_REQUIRE_PYTHON";
const PYTHON: &str = "MOTIF_PYTHON";
/// Number of requests per operation and phase; the variable raises it.
const EXAMPLES: &str = "MOTIF_SCHEMATHESIS_EXAMPLES";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_match_openapi() {
    let world = World::with(with_admin).await;
    let python = std::env::var(PYTHON).unwrap_or("python3".to_owned());
    let ready = Command::new(&python).args(["-c", "import schemathesis"]).output();
    if !ready.is_ok_and(|output| output.status.success()) {
        let needs =
            "needs Python 3.10 and `pip install schemathesis`; name another with MOTIF_PYTHON";
        assert!(std::env::var_os(REQUIRED).is_none(), "{needs}");
        eprintln!("SKIPPED: {needs}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let examples = std::env::var(EXAMPLES).unwrap_or("5".to_owned());
    for (url, bearer) in
        [(world.gateway.url(), None), (world.gateway.admin_url().unwrap(), Some(SECRET))]
    {
        let (python, examples) = (python.clone(), examples.clone());
        let mut run = Command::new(python);
        run.current_dir(folder.path())
            .args(["-m", "schemathesis.cli", "run"])
            .arg(format!("{url}/openapi.json"))
            // An address is base58 of 32 bytes, and a voucher is signed, which no pattern
            // expresses. A valid request may therefore be rejected with a documented status.
            .args(["--exclude-checks", "positive_data_acceptance"])
            .args(["--checks", "all", "--phases", "examples,coverage,fuzzing", "--seed", "1"])
            .args(["--generation-database", "none", "--suppress-health-check", "all"])
            .args(["--max-examples", &examples]);
        if let Some(secret) = bearer {
            run.args(["--header", &format!("authorization: Bearer {secret}")]);
        }
        let output = tokio::task::spawn_blocking(move || run.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{url}\n{said}\n{complained}");
    }
}

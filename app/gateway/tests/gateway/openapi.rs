use crate::world::World;

const COMMITTED: &str = include_str!("../../openapi.json");
const COMMITTED_ADMIN: &str = include_str!("../../openapi-admin.json");

#[tokio::test]
async fn committed_openapi_is_served() {
    let described = serde_json::to_string_pretty(&motif_gateway::openapi()).unwrap() + "\n";
    if std::env::var_os("MOTIF_ACCEPT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        std::fs::write(path, &described).unwrap();
        return;
    }
    assert!(
        described == COMMITTED,
        "the interface has changed: look at it, then write app/gateway/openapi.json with \
         MOTIF_ACCEPT=1 cargo test --release -p motif-gateway openapi"
    );
    let world = World::new().await;
    let served = world.send(reqwest::Method::GET, "/openapi.json", None, None).await;
    let served: serde_json::Value = serde_json::from_slice(&served.body).unwrap();
    assert_eq!(served, serde_json::from_str::<serde_json::Value>(COMMITTED).unwrap());
}

#[test]
fn committed_admin_openapi_is_current() {
    let described = serde_json::to_string_pretty(&motif_gateway::admin_openapi()).unwrap() + "\n";
    if std::env::var_os("MOTIF_ACCEPT").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi-admin.json");
        std::fs::write(path, &described).unwrap();
        return;
    }
    assert!(described == COMMITTED_ADMIN, "accept it as openapi.json is accepted");
}

#[test]
fn operation_ids_are_unique() {
    let document: serde_json::Value = serde_json::from_str(COMMITTED).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<_> = operations.map(|one| one["operationId"].as_str().unwrap()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

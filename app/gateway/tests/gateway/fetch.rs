use std::time::Duration;

use motif_sdk::gateway::wire::Use;
use reqwest::Method;
use tokio::{net::TcpListener, time::timeout};

use crate::{
    works::{WORK, publish},
    world::{CHANNEL, World, with_admin},
};

#[tokio::test]
async fn creator_uri_is_never_fetched() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/metadata.json", listener.local_addr().unwrap());
    let world = World::with(with_admin).await;
    publish(&world);
    {
        let mut state = world.chain.state();
        state.works.get_mut(&WORK).unwrap().metadata_uri = uri.clone();
        state.terms.get_mut(&(WORK, 2)).unwrap().offer.legal_uri = uri.clone();
    }
    for path in [
        "/v1/works".to_owned(),
        format!("/v1/works/{WORK}"),
        format!("/v1/works/{WORK}/lineage"),
        format!("/v1/works/{WORK}/quote?use=generate&units=3"),
        format!("/v1/channels/{CHANNEL}"),
    ] {
        let answer = world.send(Method::GET, &path, None, None).await;
        assert_ne!(answer.status, 500, "{path}: {}", answer.text());
    }
    assert!(world.client().quote(&WORK, Use::Generate).await.is_ok());
    world.generate("a-generation", &world.next_request().await).await.assert_ok();
    world.settle().await.unwrap();
    world.admin().reconcile().await.unwrap();
    // The URI is shown to clients.
    let shown = world.send(Method::GET, &format!("/v1/works/{WORK}"), None, None).await;
    assert!(shown.text().contains(&uri), "{}", shown.text());
    let connected = timeout(Duration::from_millis(300), listener.accept()).await;
    assert!(connected.is_err(), "the gateway connected: {connected:?}");
}

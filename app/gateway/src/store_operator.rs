//! A store belongs to one operator on one cluster.

use motif_sdk::channel::Channel;

use crate::{
    GatewayConfig, StartError,
    app::check_channel,
    config::StorePlace,
    operator_keys::receipt_signer,
    store::{Store, StoreError, StoreOptions},
};

/// Checks that a configuration's store has no channels of another operator or cluster, without starting
/// a gateway. The store must not be in use.
///
/// # Errors
/// [`StartError::Store`], [`StartError::OtherOperator`], [`StartError::OtherCluster`].
pub async fn check_store(
    config: &GatewayConfig,
    cluster: Option<[u8; 32]>,
) -> Result<(), StartError> {
    if config.store.file().is_some_and(|path| !path.exists()) {
        return Ok(()); // the gateway will create it
    }
    let failed = |source| StartError::Store { place: config.store.clone(), source };
    let options = StoreOptions::new(receipt_signer(&config.keys))
        .lease_duration(config.lease)
        .skip_frames(&config.skip_frames);
    let store = match &config.store {
        StorePlace::File(path) => options.open_file(path).await,
        StorePlace::Server(url) => {
            let opened = options.open_server(url.whole()).await;
            opened.map_err(|error| error.map_text(|text| url.scrub(text)))
        }
    };
    let store = store.map_err(failed)?;
    let channels = recorded_channels(&store).await;
    store.close().await;
    let channels = channels.map_err(failed)?;
    channels.iter().try_for_each(|channel| check_channel(config, cluster, channel))
}

async fn recorded_channels(store: &Store) -> Result<Vec<Channel>, StoreError> {
    let mut channels = Vec::new();
    for id in store.queries().newest_channels().await? {
        match store.queries().recorded(id).await {
            // The gateway does not serve it either.
            Err(StoreError::Corrupt(_)) => {}
            recorded => channels.push(recorded?.account.channel),
        }
    }
    Ok(channels)
}

//! The websocket subscriptions of Solana nodes.

use std::{collections::BTreeMap, sync::Arc};

use futures::{SinkExt, StreamExt};
use jsonrpc_core::{Call, Error, Failure, Id, MethodCall, Output, Request, Success, Version};
use serde_json::{Value, json};
use solana_account::{AccountSharedData, ReadableAccount};
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcTransactionLogsFilter},
    filter::RpcFilterType,
    response::{
        ProcessedSignatureResult, Response, RpcKeyedAccount, RpcLogsResponse, RpcResponseContext,
        RpcSignatureResult, SlotInfo,
    },
};
use solana_signature::Signature;
use tokio::{net::TcpStream, sync::broadcast::error::RecvError};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{Error as WebsocketError, Message},
};

use super::{
    chain::{Chain, Change, SharedChain, TransactionResult, Update},
    rpc::{
        Arguments, answer,
        arguments::{invalid, parse},
        encoding::{AccountEncoding, check_filters, passes},
    },
};

/// Maximum number of subscriptions of one connection.
const MAX_SUBSCRIPTIONS: usize = 10_000;

/// A subscription and the last update before it.
struct Subscription {
    topic: Topic,
    since: u64,
}

enum Topic {
    Account(Pubkey, AccountEncoding),
    Logs(Option<Pubkey>),
    Program(Pubkey, Vec<RpcFilterType>, AccountEncoding),
    Root,
    Signature(Signature),
    Slot,
}

/// The subscriptions of one connection.
struct Connection {
    chain: SharedChain,
    subscriptions: BTreeMap<u64, Subscription>,
    last_id: u64,
}

/// Serves one connection until it is closed or lags too far.
pub(crate) async fn serve(stream: TcpStream, chain: SharedChain) {
    let served = async {
        let mut socket = accept_async(stream).await?;
        Connection { chain, subscriptions: BTreeMap::new(), last_id: 0 }.run(&mut socket).await
    };
    if let Err(error) = served.await {
        tracing::debug!(%error, "a websocket connection ended");
    }
}

impl Connection {
    async fn run(&mut self, socket: &mut WebSocketStream<TcpStream>) -> Result<(), WebsocketError> {
        let mut updates = self.chain.lock().subscribe();
        loop {
            let messages = tokio::select! {
                received = socket.next() => match received {
                    Some(Ok(Message::Text(text))) => self.receive(&text),
                    Some(Ok(Message::Close(_))) | None => return Ok(()),
                    Some(Ok(_)) => Vec::new(),
                    Some(Err(error)) => return Err(error),
                },
                update = updates.recv() => match update {
                    Ok(update) => self.notify(&update),
                    Err(RecvError::Closed) => return Ok(()),
                    Err(RecvError::Lagged(count)) => {
                        tracing::warn!(count, "closed a lagging websocket");
                        return socket.close(None).await;
                    }
                },
            };
            for message in messages {
                socket.send(Message::text(message)).await?;
            }
        }
    }

    /// Returns the answers to a message, each with the notifications that are due at once.
    fn receive(&mut self, text: &str) -> Vec<String> {
        let calls = match serde_json::from_str(text) {
            Ok(Request::Single(call)) => vec![call],
            Ok(Request::Batch(calls)) => calls,
            Err(_) => vec![Call::Invalid { id: Id::Null }],
        };
        calls.into_iter().flat_map(|call| self.answer(call)).collect()
    }

    fn answer(&mut self, call: Call) -> Vec<String> {
        let (id, result) = match call {
            Call::MethodCall(MethodCall { method, params, id, .. }) => {
                let arguments = Arguments::new(params);
                (id, arguments.and_then(|arguments| self.call(&method, arguments)))
            }
            // Clients keep connections alive by notifications such as `ping`.
            Call::Notification(_) => return Vec::new(),
            Call::Invalid { id } => (id, Err(Error::invalid_request())),
        };
        let jsonrpc = Some(Version::V2);
        let (output, due) = match result {
            Ok((result, due)) => (Output::Success(Success { jsonrpc, result, id }), due),
            Err(error) => (Output::Failure(Failure { jsonrpc, error, id }), None),
        };
        let output = serde_json::to_string(&output).ok();
        output.into_iter().chain(due).collect()
    }

    /// Executes a request. Returns its result and a notification that follows it.
    fn call(
        &mut self,
        method: &str,
        mut arguments: Arguments,
    ) -> Result<(Value, Option<String>), Error> {
        if method.ends_with("Unsubscribe") {
            let id: u64 = arguments.next()?;
            let removed = self.subscriptions.remove(&id);
            removed.ok_or_else(|| Error::invalid_params("Invalid subscription id."))?;
            return Ok((Value::Bool(true), None));
        }
        let topic = Topic::parse(method, arguments)?;
        if self.subscriptions.len() >= MAX_SUBSCRIPTIONS {
            return Err(invalid(format!(
                "a connection has at most {MAX_SUBSCRIPTIONS} subscriptions"
            )));
        }
        self.last_id += 1;
        let id = self.last_id;
        let chain = self.chain.lock();
        if let Topic::Signature(signature) = &topic
            && let Some(record) = chain.ledger().get(signature)
        {
            let result = signature_result(&record.transaction.meta.status);
            let due = notification("signature", id, at(record.slot, result));
            return Ok((json!(id), due));
        }
        let since = chain.sequence();
        drop(chain);
        self.subscriptions.insert(id, Subscription { topic, since });
        Ok((json!(id), None))
    }

    /// Returns the notifications of an update.
    fn notify(&mut self, update: &Arc<Update>) -> Vec<String> {
        let chain = self.chain.lock();
        let mut messages = Vec::new();
        self.subscriptions.retain(|id, subscription| {
            if update.sequence <= subscription.since {
                return true;
            }
            messages.extend(subscription.topic.notification(&chain, *id, update));
            // A signature is notified of once.
            !subscription.topic.is_done(update)
        });
        messages
    }
}

impl Topic {
    fn parse(method: &str, mut arguments: Arguments) -> Result<Self, Error> {
        let encoding =
            |config: RpcAccountInfoConfig| AccountEncoding::new(config.encoding, config.data_slice);
        match method {
            "accountSubscribe" => {
                let address = arguments.address()?;
                Ok(Self::Account(address, encoding(arguments.optional()?)))
            }
            "logsSubscribe" => match arguments.next()? {
                RpcTransactionLogsFilter::All | RpcTransactionLogsFilter::AllWithVotes => {
                    Ok(Self::Logs(None))
                }
                RpcTransactionLogsFilter::Mentions(addresses) => match addresses.as_slice() {
                    [address] => Ok(Self::Logs(Some(parse(address)?))),
                    _ => Err(Error::invalid_params("Invalid Request: Only 1 address supported")),
                },
            },
            "programSubscribe" => {
                let address = arguments.address()?;
                let config: RpcProgramAccountsConfig = arguments.optional()?;
                let mut filters = config.filters.unwrap_or_default();
                check_filters(&mut filters)?;
                Ok(Self::Program(address, filters, encoding(config.account_config)))
            }
            "rootSubscribe" => Ok(Self::Root),
            "signatureSubscribe" => Ok(Self::Signature(parse(&arguments.next::<String>()?)?)),
            "slotSubscribe" => Ok(Self::Slot),
            _ => Err(Error::method_not_found()),
        }
    }

    fn is_done(&self, update: &Update) -> bool {
        matches!(
            (self, &update.change),
            (Self::Signature(wanted), Change::Transaction { signature, .. }) if wanted == signature
        )
    }

    /// Returns the notification of an update, or `None` if it is not about this topic.
    fn notification(&self, chain: &Chain, id: u64, update: &Update) -> Option<String> {
        let slot = update.slot;
        match (self, &update.change) {
            (Self::Account(wanted, encoding), Change::Account { address, account })
                if wanted == address =>
            {
                let account = encoding.encode(chain, address, account).ok()?;
                notification("account", id, at(slot, answer(account).ok()?))
            }
            (Self::Program(program, filters, encoding), Change::Account { address, account })
                if account.owner() == program && passes(filters, account) =>
            {
                let keyed = keyed(chain, *encoding, address, account)?;
                notification("program", id, at(slot, keyed))
            }
            (Self::Logs(mentioned), Change::Transaction { signature, result, logs, mentions })
                if mentioned.is_none_or(|address| mentions.contains(&address)) =>
            {
                let response = RpcLogsResponse {
                    signature: signature.to_string(),
                    err: result.clone().err().map(Into::into),
                    logs: logs.clone(),
                };
                notification("logs", id, at(slot, answer(response).ok()?))
            }
            (Self::Signature(wanted), Change::Transaction { signature, result, .. })
                if wanted == signature =>
            {
                notification("signature", id, at(slot, signature_result(result)))
            }
            // Every slot is final at once.
            (Self::Slot, Change::Slot { parent }) => {
                let info = SlotInfo { slot, parent: *parent, root: *parent };
                notification("slot", id, answer(info).ok()?)
            }
            (Self::Root, Change::Slot { parent }) => notification("root", id, json!(parent)),
            _ => None,
        }
    }
}

fn keyed(
    chain: &Chain,
    encoding: AccountEncoding,
    address: &Pubkey,
    account: &AccountSharedData,
) -> Option<Value> {
    let account = encoding.encode(chain, address, account).ok()?;
    answer(RpcKeyedAccount { pubkey: address.to_string(), account }).ok()
}

fn signature_result(result: &TransactionResult) -> Value {
    let err = result.clone().err().map(Into::into);
    let result = RpcSignatureResult::ProcessedSignature(ProcessedSignatureResult { err });
    json!(result)
}

fn at(slot: u64, value: Value) -> Value {
    json!(Response { context: RpcResponseContext::new(slot), value })
}

/// Returns the text of a notification.
fn notification(topic: &str, subscription: u64, result: Value) -> Option<String> {
    let notification = json!({
        "jsonrpc": "2.0",
        "method": format!("{topic}Notification"),
        "params": { "result": result, "subscription": subscription },
    });
    Some(notification.to_string())
}

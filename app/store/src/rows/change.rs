use crate::{
    change::{Change, StoredTransaction},
    rows::{
        api_key,
        expense::insert_expense,
        generation::{insert_generations, without_existing},
        hold, sale,
        statement::{insert_cut, settle_statement},
    },
    sql::{Connection, integer, query},
};

/// Writes changes; those that are in the tables are left as they are. The caller begins and commits
/// the transaction.
///
/// No change depends on a generation, so that generations are written last, in the order of their
/// places. With `are_new` the tables are not searched for them first.
///
/// # Errors
/// A unique violation if `are_new` is wrong. [`sqlx::Error::Protocol`] if another generation has the
/// place of one.
pub async fn apply_changes(
    changes: &[&Change],
    are_new: bool,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    for change in changes {
        apply(change, to).await?;
    }
    let mut generations: Vec<_> = changes.iter().flat_map(|change| change.generations()).collect();
    generations.sort_by_key(|generation| generation.place());
    if !are_new {
        generations = without_existing(generations, to).await?;
    }
    api_key::add_spending(&generations, to).await?;
    insert_generations(&generations, to).await
}

/// Writes a change, apart from its generations. Writing it again changes nothing.
async fn apply(change: &Change, to: &mut Connection) -> Result<(), sqlx::Error> {
    match change {
        Change::Cut { channel_id, number, entries, prices, cut_at } => {
            insert_cut(*channel_id, *number, (entries, *prices), *cut_at, to).await
        }
        Change::Observed { channel_id, account, settled } => {
            for statement in settled {
                settle_statement(*channel_id, statement, to).await?;
            }
            query("UPDATE channels SET account = $1 WHERE id = $2")
                .bind(&account[..])
                .bind(channel_id.0)
                .execute(to)
                .await
                .map(drop)
        }
        Change::Settled { channel_id, settled } => {
            for statement in settled {
                settle_statement(*channel_id, statement, to).await?;
            }
            Ok(())
        }
        Change::Spent(expense) => insert_expense(expense, to).await,
        Change::Transaction(transaction) => insert_transaction(transaction, to).await,
        Change::Outcome { signature, outcome } => {
            query("UPDATE transactions SET outcome = $1 WHERE signature = $2")
                .bind(outcome.as_str())
                .bind(&signature[..])
                .execute(to)
                .await
                .map(drop)
        }
        Change::SaleSent(sale) => sale::insert_sale(sale, to).await,
        Change::Sale { payment, event } => sale::update_sale(payment, event, to).await,
        Change::KeyCreated(key) => api_key::insert_key(key, to).await,
        Change::KeyRevoked { id, revoked_at } => api_key::revoke_key(*id, *revoked_at, to).await,
        Change::Budget { channel_id, budget } => {
            query("UPDATE channels SET budget = $1 WHERE id = $2")
                .bind(budget.map(integer))
                .bind(channel_id.0)
                .execute(to)
                .await
                .map(drop)
        }
        Change::HoldPlaced { channel_id, id, hold, api_key } => {
            hold::insert_hold(*channel_id, id, (hold, *api_key), to).await
        }
        Change::HoldsPruned { before } => hold::delete_holds(*before, to).await,
        Change::HoldReleased { id } => hold::end_hold(id, "released", None, to).await,
        Change::Generations { holds, generations } => {
            // One voucher pays for them, and so they are of one statement.
            let statement = generations.first().map(|first| first.receipt.receipt.statement);
            for id in holds {
                hold::end_hold(id, "captured", statement, to).await?;
            }
            Ok(())
        }
        Change::Barrier => Ok(()),
    }
}

/// Inserts a transaction. One with equal bytes, signed under the same blockhash, is pending again.
async fn insert_transaction(
    transaction: &StoredTransaction,
    to: &mut Connection,
) -> Result<(), sqlx::Error> {
    query(
        "INSERT INTO transactions (signature, channel_id, statement, bytes, last_valid_height, \
         receipts_root) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (signature) DO UPDATE SET outcome = 'pending' \
         WHERE transactions.outcome <> 'landed'",
    )
    .bind(&transaction.signature[..])
    .bind(transaction.channel_id.0)
    .bind(integer(transaction.statement))
    .bind(&transaction.bytes[..])
    .bind(integer(transaction.last_valid_height))
    .bind(&transaction.receipts_root[..])
    .execute(to)
    .await
    .map(drop)
}

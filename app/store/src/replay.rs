use crate::{
    bad_frame::{describe, drop_frame},
    error::StoreError,
    table_writer::TableWriter,
    work::Unapplied,
};

/// Writes the frames that the tables lack: all at once or, if that fails, one by one. A frame that
/// cannot be written is dropped if it is in `skip`.
///
/// # Errors
/// [`StoreError::BadFrame`] for the first frame that cannot be written; the frames before it are
/// written. [`StoreError::Failed`] if the disk fails.
pub async fn replay(
    tables: &mut TableWriter,
    frames: Vec<Unapplied>,
    skip: &[u64],
) -> Result<(), StoreError> {
    let (mut changes, mut ends) = (Vec::new(), Vec::with_capacity(frames.len()));
    for frame in frames {
        changes.extend(frame.changes);
        ends.push((changes.len(), frame.through));
    }
    let Some((_, through)) = ends.last() else { return Ok(()) };
    let failed = |error: sqlx::Error| StoreError::Failed(error.to_string());
    match tables.apply(&changes, *through).await {
        Err(error) if is_refused(&error) => {}
        applied => return applied.map_err(failed),
    }
    let mut begin = 0;
    for (end, number) in ends {
        let own = &changes[begin..end];
        begin = end;
        match tables.apply(own, number).await {
            Err(error) if is_refused(&error) => {
                let fault = format!("cannot be written into the tables ({error})");
                drop_frame(number, fault, describe(own), skip)?;
                tables.apply(&[], number).await.map_err(failed)?;
            }
            applied => applied.map_err(failed)?,
        }
    }
    Ok(())
}

/// Returns whether the tables refuse a change, whatever the state of the disk.
fn is_refused(error: &sqlx::Error) -> bool {
    /// Primary result codes of SQLite: too big, constraint violation, datatype mismatch.
    const REFUSALS: [i32; 3] = [18, 19, 20];
    match error {
        sqlx::Error::Protocol(_) => true,
        error => {
            let code = error.as_database_error().and_then(|error| error.code());
            let code = code.and_then(|code| code.parse::<i32>().ok());
            code.is_some_and(|code| REFUSALS.contains(&(code & 0xFF)))
        }
    }
}

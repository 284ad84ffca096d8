use crate::problem::PayerError;

/// Runs a future in a task of its own, which continues when the returned future is dropped: a payment and
/// its reservation outlive the client that disconnects.
///
/// # Errors
/// [`PayerError::Internal`] if it panics or the runtime ends.
pub async fn detached<T: Send + 'static>(
    future: impl Future<Output = T> + Send + 'static,
) -> Result<T, PayerError> {
    tokio::spawn(future).await.map_err(|_| PayerError::Internal)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use tokio::{sync::Notify, time::timeout};

    use super::*;
    use crate::{budgets::Budgets, callers::Caller, settings::Settings};

    #[tokio::test]
    async fn reservation_outlives_its_client() {
        let text = "[budget]\nper_day = 100\n";
        let budgets = Budgets::new(&Settings::parse(text).unwrap());
        let caller = Caller::from("local");
        let (reserved, answered) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let paying = {
            let (budgets, caller) = (budgets.clone(), caller.clone());
            let (reserved, answered) = (reserved.clone(), answered.clone());
            async move {
                let _reservation = budgets.reserve(&caller, 60, || (0, 0)).await.unwrap();
                reserved.notify_one();
                answered.notified().await;
            }
        };
        // The client disconnects while its payment is under way.
        tokio::select! {
            _ = detached(paying) => panic!("the payment has ended"),
            () = reserved.notified() => {}
        }
        let other = budgets.reserve(&caller, 60, || (0, 0));
        tokio::pin!(other);
        assert!(timeout(Duration::from_millis(20), &mut other).await.is_err());
        answered.notify_one();
        assert!(other.await.is_ok());
    }
}

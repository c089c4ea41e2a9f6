//! Samples that could not be scanned.

use squall_api::v1::{FailedSamples, Retried};

use crate::{Client, ClientError};

impl Client {
    /// Asks for at most `limit` failed samples whose id is above `after`,
    /// oldest first; the `next` of the answer is the `after` of the page
    /// behind it.
    ///
    /// # Errors
    ///
    /// Fails like [`send`](Client::send).
    pub async fn failed_samples(
        &self,
        after: Option<u64>,
        limit: u32,
    ) -> Result<FailedSamples, ClientError> {
        let mut url = self.url("/api/v1/samples/failed");
        let after = after.map(|after| format!("&after={after}"));
        url.set_query(Some(&format!("limit={limit}{}", after.unwrap_or_default())));
        self.send(self.http().get(url)).await
    }

    /// Has the failed sample with this id scanned again.
    ///
    /// # Errors
    ///
    /// Fails like [`send`](Client::send): with status 404 if no failed sample
    /// has the id, with 409 if its bytes are lost.
    pub async fn retry_sample(&self, id: u64) -> Result<Retried, ClientError> {
        let url = self.url(&format!("/api/v1/samples/{id}/retry"));
        self.send(self.http().post(url)).await
    }

    /// Has all failed samples scanned again.
    ///
    /// # Errors
    ///
    /// Fails like [`send`](Client::send).
    pub async fn retry_failed_samples(&self) -> Result<Retried, ClientError> {
        let url = self.url("/api/v1/samples/failed/retry");
        self.send(self.http().post(url)).await
    }
}

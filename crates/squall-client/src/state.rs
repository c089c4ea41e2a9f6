//! How a service is doing.

use std::time::Duration;

use reqwest::StatusCode;
use squall_api::v1::{FindingPage, Overview, Readiness, SourcePage};

use crate::{Client, ClientError};

impl Client {
    /// Asks whether samples can be sent, and waits for the answer for at most
    /// `patience`. A service that is not ready is no error: the answer says why.
    ///
    /// # Errors
    ///
    /// Fails like [`send`](Client::send).
    pub async fn readiness(&self, patience: Duration) -> Result<Readiness, ClientError> {
        let request = self.http().get(self.url("/readyz")).timeout(patience);
        let (status, body) = self.answer(request).await?;
        match status {
            StatusCode::OK | StatusCode::SERVICE_UNAVAILABLE => self.read(&body),
            status => Err(ClientError::refusal(status.as_u16(), &body)),
        }
    }

    /// Asks for the state of the service at this moment, and waits for it for at
    /// most `patience`.
    ///
    /// # Errors
    ///
    /// Fails like [`send`](Client::send).
    pub async fn overview(&self, patience: Duration) -> Result<Overview, ClientError> {
        let url = self.url("/api/v1/overview");
        self.send(self.http().get(url).timeout(patience)).await
    }

    /// Asks for the newest findings, `limit` at most.
    ///
    /// # Errors
    ///
    /// Fails like [`send`](Client::send): with status 404 if the service keeps
    /// no findings.
    pub async fn newest_findings(
        &self,
        limit: u32,
        patience: Duration,
    ) -> Result<FindingPage, ClientError> {
        let mut url = self.url("/api/v1/findings");
        url.set_query(Some(&format!("limit={limit}")));
        self.send(self.http().get(url).timeout(patience)).await
    }

    /// Asks for the sources that sent something last, `limit` at most.
    ///
    /// # Errors
    ///
    /// Fails like [`send`](Client::send): with status 404 if the service keeps
    /// no findings.
    pub async fn newest_sources(
        &self,
        limit: u32,
        patience: Duration,
    ) -> Result<SourcePage, ClientError> {
        let mut url = self.url("/api/v1/sources");
        url.set_query(Some(&format!("limit={limit}")));
        self.send(self.http().get(url).timeout(patience)).await
    }
}

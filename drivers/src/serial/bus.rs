//! The round of one bus: whoever has been due longest is polled next, one request at a time. It
//! must never ask a second meter while the first may still answer.

#[cfg(test)]
mod tests;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::dlt645::{Answer, Item, Request};
use super::meter::{ITEMS, Meter, Round};
use super::port::Port;
use crate::driver::{Context, DriverError};

/// Polls until the port is gone; ends only with an error.
///
/// # Errors
/// [`DriverError::Link`] when the port is gone, [`DriverError::Closed`] when nobody listens.
pub async fn run<P: AsyncRead + AsyncWrite + Unpin>(
    mut port: Port<P>,
    mut meters: Vec<Meter>,
    context: &Context,
) -> Result<(), DriverError> {
    loop {
        let Some(next) = meters.iter_mut().min_by_key(|meter| meter.due) else {
            port.idle_until(None).await?;
            continue;
        };
        port.idle_until(Some(next.due)).await?;
        let round = poll(&mut port, next).await?;
        for said in next.polled(Instant::now(), &round) {
            context.report(said).await?;
        }
    }
}

/// Reads each item of one meter; one that does not even tell its energy is not asked further.
async fn poll<P: AsyncRead + AsyncWrite + Unpin>(
    port: &mut Port<P>,
    meter: &Meter,
) -> Result<Round, DriverError> {
    let mut round = Round::default();
    for item in ITEMS {
        match port.ask(meter.address, Request::Read(item), meter.tries(item)).await? {
            Ok(Answer::Data { payload, .. }) => match item.value(&payload) {
                Ok(value) => round.values.push(value),
                Err(bad) => round.missed.push((item, bad.to_string())),
            },
            Ok(Answer::Refused(refusal)) => round.refused.push((item, refusal)),
            Ok(Answer::Address(_)) => {}
            Err(miss) => {
                round.missed.push((item, miss.to_string()));
                if item == Item::ImportEnergy {
                    break;
                }
            }
        }
    }
    Ok(round)
}

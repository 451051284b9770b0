//! The same ticket inside of GSS-SPNEGO, where what was asked of the context is the layer (MS-ADTS section 5.1.1.1.2): sealing.

use cross_krb5::{ClientCtx, PendingClientCtx, Step};
use proto::sasl::{Protection, SaslError, SecurityContext, SecurityLayer};
use zeroize::Zeroizing;

use super::layer::{Layer, Order};
use super::{failed, out_of_turn};

/// 1.2.840.113554.1.2.2
const KERBEROS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
/// The server tells no limit; these are whole requests nearly always.
const MAX_PLAIN: usize = 64 << 10;

/// A Kerberos context to be negotiated.
pub(crate) struct Negotiated(State);

enum State {
    Initiated { context: PendingClientCtx, token: Zeroizing<Vec<u8>> },
    Waiting(PendingClientCtx),
    Established(ClientCtx),
    Over,
}

impl Negotiated {
    pub(super) fn new(context: PendingClientCtx, token: Zeroizing<Vec<u8>>) -> Negotiated {
        Negotiated(State::Initiated { context, token })
    }
}

impl SecurityContext for Negotiated {
    fn mechanism(&self) -> &'static [u8] {
        KERBEROS
    }

    fn first(&mut self) -> Result<Zeroizing<Vec<u8>>, SaslError> {
        let State::Initiated { context, token } = std::mem::replace(&mut self.0, State::Over) else {
            return Err(out_of_turn("a second beginning"));
        };
        self.0 = State::Waiting(context);
        Ok(token)
    }

    fn next(&mut self, token: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, SaslError> {
        let State::Waiting(context) = std::mem::replace(&mut self.0, State::Over) else {
            return Err(out_of_turn("another token"));
        };
        match context.step(token).map_err(|error| failed(&error))? {
            Step::Continue((context, answer)) => {
                self.0 = State::Waiting(context);
                Ok(Some(Zeroizing::new(answer.to_vec())))
            }
            Step::Finished((context, answer)) => {
                self.0 = State::Established(context);
                Ok(answer.map(|answer| Zeroizing::new(answer.to_vec())))
            }
        }
    }

    fn is_established(&self) -> bool {
        matches!(self.0, State::Established(_))
    }

    /// The library has no call for it, and with one mechanism none is asked for.
    fn sign(&mut self, _message: &[u8]) -> Option<Vec<u8>> {
        None
    }

    /// Nor for this: the list has one mechanism, so that a change of it cannot lead to another, and the server has proved
    /// itself by the ticket.
    fn verify(&mut self, _message: &[u8], _signature: &[u8]) -> Result<(), SaslError> {
        Ok(())
    }

    /// It always seals.
    fn needs_encryption(&self) -> bool {
        false
    }

    fn take_layer(&mut self) -> Option<Box<dyn SecurityLayer>> {
        match std::mem::replace(&mut self.0, State::Over) {
            State::Established(context) => Some(Box::new(Layer::new(
                context,
                Protection::Confidentiality,
                MAX_PLAIN,
                Order::from_the_first(),
            ))),
            _ => None,
        }
    }
}

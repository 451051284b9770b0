//! As `it/live`: one file a capability, whose first line is its row in the book's table of peers.

mod sasl_gss_spnego_kerberos;
mod sasl_gssapi;
mod sasl_gssapi_channel_binding;
mod sasl_strict_samba;

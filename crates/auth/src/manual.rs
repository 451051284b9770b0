//! # Disasters of the field, and what rules each out here
//!
//! Every login to a directory that was ever broken into was broken into in one of these ways. The right column names the
//! type, or the test, that stands in the way; a change that removes one of them brings the disaster back.
//!
//! ## A password that nobody checked
//!
//! * **An empty password is a success.** LDAP takes a name without a password for an unauthenticated bind and answers
//!   success (RFC 4513 section 5.1.2). CVE-2014-0097, CVE-2014-0074, CVE-2017-14623, CVE-2018-1000134, CVE-2019-19747 and
//!   many more. [`Credentials`](crate::Credentials) cannot hold an empty password, nor can the protocol's own `Password`;
//!   an anonymous bind is another call.
//! * **The bind that never was.** A search by the service account succeeded and passed for the person's bind
//!   (CVE-2020-26168, CVE-2017-8028, CVE-2026-41720). A [`Proof`](crate::Proof) is minted in one place, from the answer to a
//!   bind that this login wrote on a connection that was its own; `state` takes result 0 alone for success. Test:
//!   `only_result_zero_is_success`.
//! * **A referral taken for success**, or followed with the password. In answer to a bind it is an error; look-ups follow
//!   one when the configuration says so, to named hosts, as nobody. Tests:
//!   `a_referral_is_neither_success_nor_a_wrong_password`, `nothing_that_carries_a_password_is_sent_elsewhere`.
//! * **A constant, a fallback that knows the password** (CVE-2020-2299). A [`Proof`](crate::Proof) is the only way to a
//!   [`Proven`](crate::Proven), and both are made anew by each login: nothing here remembers either.
//! * **A cache that takes any password once somebody has signed in** (CVE-2020-2301, CVE-2026-129349). What this room
//!   remembers is where entries and groups are, never that a password was right; every login binds. The one cache of
//!   proved passwords is the account room's, for Basic alone: it compares a keyed digest of name and password, and a password
//!   that does not fit goes the whole way. Test:
//!   `a_wrong_password_is_denied_and_counted_however_lately_the_right_one_was_proved`.
//! * **One connection, two people.** A person's connection went back to the pool for look-ups. Proving connections are
//!   another type; look-ups cannot be lent one.
//!
//! ## A name that is more than a name
//!
//! * **Filter injection**, by `*)(uid=*` (CVE-2022-2232, CVE-2026-27860, and most small libraries).
//!   [`FilterTemplate`](crate::FilterTemplate) is a parsed filter; names become values in it. Test:
//!   `whatever_is_typed_only_ever_becomes_the_value`.
//! * **DN injection** in direct binds (CVE-2026-49268). [`DnTemplate`](crate::DnTemplate) builds values; a bind name, which
//!   no server escapes, takes letters, digits, `.`, `_` and `-` only.
//! * **Text expanded twice**: a group called `%s`, a person called `{input}`. A placeholder is replaced once, in the
//!   configuration's own pieces. Test: `a_name_that_is_a_placeholder_is_never_expanded_again`.
//! * **Work before length**: normalising a megabyte (CVE-2023-46695). The length is judged first. Test:
//!   `the_length_is_judged_before_the_characters`.
//! * **One person, many spellings**: lock-outs and second factors passed by `Alice`, ` alice`, `alice@corp`
//!   (CVE-2025-6004, CVE-2025-24806). [`Located::key`](crate::Located::key) is the directory's own value. Test:
//!   `every_way_to_type_a_name_has_one_key`.
//!
//! ## The wrong person
//!
//! * **The first of several hits.** Exactly one entry, or `ambiguous_user`. Where several attributes may hold the name, the
//!   best of them decides, so that nobody becomes the administrator by writing that name into their own mail address. Test:
//!   `a_mail_address_does_not_outrank_a_name`.
//! * **An entry from elsewhere** (CVE-2026-16071). What lies outside the searched base is an error.
//! * **An account linked by name, mail or DN** (CVE-2023-3128). [`Person::id`](crate::Person::id) is the directory's
//!   immutable key, single-valued or an error.
//! * **Nothing found, taken for gone**: a changed access rule or base makes every search succeed with nothing, and accounts
//!   are removed or handed over (keycloak#24669). [`Presence::Gone`](crate::Presence::Gone) needs two misses, the bases in
//!   sight, and other known people found by the same question. Tests: `nobody_is_gone_while_somebody_else_is_missed_too`,
//!   `a_base_that_is_not_there_an_outage_and_a_list_cut_short_are_errors`.
//! * **A namesake in the next directory, while the first is down.** An outage ends the login; it is never stepped over.
//!   Test: `a_directory_that_is_down_is_never_stepped_over`.
//! * **A name remembered for somebody who has moved, or whose name was given away.** A remembered entry is read, compared
//!   with what the searches ask for and with its immutable key, before any password is sent; otherwise the name is searched
//!   for. Tests: `whoever_has_moved_gets_in_and_no_password_goes_to_the_old_place`,
//!   `a_name_that_was_given_away_is_its_new_bearer_s`.
//! * **A cache that mixes people or remembers an outage**: keys made of text ("a b" and "a+b"), two directories under one
//!   key, "not found" kept because the server was down. Keys are values, each directory has its own memory, and what is kept
//!   is found, whole and positive. Tests: `names_that_differ_by_a_blank_or_a_plus_do_not_mix`,
//!   `two_directories_that_know_the_same_name_remember_each_their_own`, `neither_an_outage_nor_nobody_is_remembered`.
//! * **A password tried on somebody else's account.** A directory with a template is asked for its own domains' names only,
//!   or last.
//!
//! ## Groups
//!
//! * **Comparing `cn` instead of the whole name**, or names as text: [`Rule`](crate::Rule) compares normalised names, whole.
//! * **A deny list that nesting goes round**, or that ends where groups are not shown. Deny, require and flags are judged on
//!   one list of memberships, made with the same nesting through every group below the base. Test:
//!   `a_link_that_is_not_shown_does_not_end_the_way_to_a_refused_group`.
//! * **Half a list taken for the whole.** A failed search fails the login; a list that was cut short fails it where a deny
//!   or a negation depends on what is missing. Long attributes are read to their end. Tests:
//!   `a_list_of_groups_that_is_cut_short_admits_nobody_past_a_deny`, `a_server_s_list_that_ends_early_admits_nobody_past_a_deny`,
//!   `names_and_chains_that_are_cut_short_admit_nobody_past_a_negation`.
//! * **What one person may not see, taken for missing by the next.** Only the service account's word that a group is not
//!   there is remembered. Test: `what_one_person_cannot_see_is_not_taken_for_missing_by_the_next`.
//! * **Another directory's group of the same name.** Groups outside a directory's own base never count. Test:
//!   `a_group_outside_the_base_never_counts`.
//! * **A circle of groups** that never ends. Test: `groups_in_groups_are_found_to_any_depth_and_circles_end`.
//!
//! ## Answers that tell too much, or lie
//!
//! * **"No such user".** Unknown, ambiguous, wrong, locked and not permitted have one text; the account's state is told only
//!   to who proved the password. The one table is in `denial`.
//! * **An outage that reads as a wrong password**, and the other way round: [`Answer`](crate::Answer) against
//!   [`Error`](crate::Error).
//! * **A disabled account that still gets in** (CVE-2025-0604: by changing its password, which servers let it do). After a
//!   bind the entry's own attributes are judged as well, and before a change. [`Changed`](crate::Changed) is no proof: the new
//!   password has to be proved like any other. Tests: `a_state_that_only_the_entry_tells_keeps_the_password_from_being_changed`,
//!   `a_disabled_an_expired_and_a_locked_account_change_nothing`.
//! * **A password set by whoever does not know the old one.** The person's bind proves it, or nothing is changed; the service
//!   account tells the server both and never replaces. Test:
//!   `the_service_account_changes_it_for_who_proved_the_old_one_and_is_not_let_in`.
//! * **Words of one vendor believed of another.** Sub-codes and texts are read under their preset. Test:
//!   `a_vendor_s_words_count_under_its_own_preset_only`.
//! * **One right password counted as several wrong ones**, because it was sent to a replica that lags. One login, one
//!   server; a bind that was written is never sent again. Test: `a_bind_that_was_written_is_never_sent_again`.
//! * **Secrets in traces.** A [`Step`](crate::Step) holds names, filters and result codes; `userPassword` and its like are
//!   dropped when an entry is read. Test: `secrets_are_dropped_when_they_are_read`.
//!
//! ## Every rule and what holds it
//!
//! The rules that the disasters taught, by number, with tests from all rooms. Rules about rooms that are not built yet
//! (sync 17, the admin pages of 15, forward authentication 21, the cookie of other hosts 28) are held as far as they exist.
//!
//! | | rule | tests |
//! |---|---|---|
//! | 1 | names become values, attributes come from the configuration | `whatever_is_typed_only_ever_becomes_the_value`, `whatever_is_typed_only_ever_becomes_one_value_of_the_name`, `an_attribute_is_a_name_and_not_a_filter` |
//! | 2 | an empty password or name goes nowhere | `an_empty_password_or_name_meets_no_directory`, `a_bind_without_a_name_or_a_password_is_not_sent`, `a_password_is_never_empty_and_never_holds_a_nul` |
//! | 3 | a bind has to have happened | `only_result_zero_is_success`, `no_is_an_answer_and_a_referral_is_not_success` |
//! | 4 | a person's connection is never used for look-ups | `a_connection_that_carried_a_persons_bind_never_carries_a_look_up`, `nobody_can_bind_on_a_look_up_connection`, `start_tls_is_not_sent_while_something_is_under_way` |
//! | 5 | verified TLS, nothing in the clear | `a_real_servers_bad_certificate_is_told`, `a_server_that_will_not_start_tls_gets_nothing_in_clear_text`, `clear_text_right_after_the_answer_is_fatal`, `a_password_is_never_sent_in_clear_text_over_a_network` |
//! | 6 | referrals carry nothing and prove nothing | `references_are_collected_and_not_followed`, `a_reference_is_told_and_not_followed_unless_that_is_asked_for`, `nothing_that_carries_a_password_is_sent_elsewhere`, `a_server_without_tls_is_refused_when_the_first_had_it`, `only_so_many_hops_are_made`, `a_referral_to_a_persons_bind_proves_nothing` |
//! | 7 | nobody learns who exists | `a_wrong_password_and_an_unknown_name_get_the_same_answer`, `an_unknown_name_is_answered_as_slowly_as_a_wrong_password`, `what_an_attacker_could_learn_from_has_one_text` |
//! | 8 | one person, one name | `the_length_is_judged_before_the_characters`, `every_way_to_type_a_name_has_one_key`, `however_a_name_is_typed_it_is_one_person` |
//! | 9 | accounts are linked by the immutable id | `a_name_with_another_id_is_a_duplicate_while_the_old_one_is_there`, `who_is_made_anew_gets_a_fresh_account_once_the_old_one_is_gone`, `nobody_is_gone_while_another_known_person_is_missing` |
//! | 10 | guesses are counted, by person and by address | `a_hundred_guesses_at_once_make_no_more_binds_than_the_limit`, `an_address_has_a_budget_of_its_own_whoever_it_asks_for`, `a_store_that_is_down_lets_nobody_in_and_tries_no_password` |
//! | 11 | tokens say who signed them, for whom and how long | `an_unsigned_token_is_none`, `a_token_of_another_issuer_audience_or_key_is_none`, `a_lifetime_that_is_too_long_is_cut`, `a_token_dies_with_the_generation_it_was_issued_under` |
//! | 12 | sessions begin anew and end | `each_login_has_a_cookie_of_its_own_and_ends_the_session_it_replaces`, `a_session_ends_for_idleness_and_in_any_case`, `cookies_have_the_attributes_of_the_contract` |
//! | 13 | nobody is led elsewhere after signing in | `everything_else_counts_as_home`, `a_wish_for_another_site_leads_home` |
//! | 14 | forms come from our own pages | `a_form_without_a_good_token_is_given_again_and_then_works`, `a_form_without_a_good_token_changes_nothing_and_is_given_again`, `what_another_site_sends_is_refused` |
//! | 15 | a stored secret goes to its own server alone | `with_a_url_of_ones_own_no_stored_secret_is_sent` |
//! | 16 | caches know no passwords and no outages | `a_wrong_password_is_denied_and_counted_however_lately_the_right_one_was_proved`, `a_throttled_person_is_refused_the_password_that_was_proved_too`, `neither_an_outage_nor_nobody_is_remembered`, `two_directories_that_know_the_same_name_remember_each_their_own` |
//! | 18 | secrets are not told | `secrets_are_dropped_when_they_are_read`, `a_password_is_never_in_a_trace`, `look_ups_and_binds_have_spans_without_secrets_wherever_they_are_asked_for`, `config_show_tells_origins_and_hides_secrets` |
//! | 19 | a hostile peer has limits | `a_filter_nested_10000_deep_is_refused_without_recursion`, `arbitrary_bytes_never_panic`, `more_controls_than_allowed_are_refused`, `an_entry_from_elsewhere_is_an_error_and_not_a_person`, `an_identity_attribute_with_two_values_is_an_error` |
//! | 20 | groups are whole names and whole lists | `a_group_is_compared_by_its_whole_normalised_name`, `deny_sees_what_nesting_hides`, `a_list_of_groups_that_is_cut_short_admits_nobody_past_a_deny`, `a_group_that_is_not_there_has_no_members_and_is_reported` |
//! | 22 | a password is changed for the old one alone | `a_new_password_never_travels_in_clear_text_whatever_is_allowed_for_binds`, `wrong_old_passwords_count_with_wrong_logins_and_the_right_one_is_then_not_tried`, `an_account_that_is_shut_out_while_it_changes_its_password_stays_out`, `a_disabled_an_expired_and_a_locked_account_change_nothing` |
//! | 23 | no directory speaks for another | `one_directory_s_namesake_of_a_group_admits_nobody`, `a_group_outside_the_base_never_counts`, `a_name_that_two_groups_have_gives_nothing` |
//! | 24 | the service account is not ours to lock | `a_refused_service_account_is_asked_once_and_remembered`, `one_prober_at_a_time_and_ever_less_often` |
//! | 25 | nobody is gone because a search found nothing | `nobody_is_gone_while_somebody_else_is_missed_too`, `a_base_that_is_not_there_an_outage_and_a_list_cut_short_are_errors` |
//! | 26 | one login, one server | `a_bind_that_was_written_is_never_sent_again`, `a_change_that_may_have_been_written_is_never_sent_again`, `groups_are_not_read_from_another_server_after_the_bind` |
//! | 27 | an attempt is reserved before it is made | `of_a_hundred_guesses_at_once_no_more_are_tried_than_the_limit`, `a_visitor_who_hangs_up_changes_nothing`, `unknown_names_are_counted_too` |

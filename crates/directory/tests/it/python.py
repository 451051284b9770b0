# What an application does with python-ldap. The only argument is the server's URL.
import sys

import ldap
import ldap.filter
import ldap.modlist
from ldap.controls import SimplePagedResultsControl
from ldap.controls.ppolicy import PasswordPolicyControl

BASE = "dc=example,dc=com"
ALICE = "uid=alice,ou=people," + BASE
EVE = "uid=eve,ou=people," + BASE


def refused(error, call, *arguments):
    try:
        call(*arguments)
    except error:
        return
    raise AssertionError(f"{call.__name__}{arguments} was not refused with {error.__name__}")


server = ldap.initialize(sys.argv[1])
server.protocol_version = 3
server.set_option(ldap.OPT_NETWORK_TIMEOUT, 5)
server.set_option(ldap.OPT_TIMEOUT, 5)

refused(ldap.INVALID_CREDENTIALS, server.simple_bind_s, ALICE, "wrong")
refused(ldap.UNWILLING_TO_PERFORM, server.simple_bind_s, ALICE, "")
server.simple_bind_s(ALICE, "Red-Apple-11")
assert server.whoami_s() == "dn:" + ALICE

# Names that need escaping, by filter.
name = "pat,o(n)e*\\x"
found = server.search_s(BASE, ldap.SCOPE_SUBTREE, "(uid=%s)" % ldap.filter.escape_filter_chars(name), ["mail", "memberOf"])
(dn, attributes), = found
assert attributes["mail"] == [b"pat@example.com"], attributes
assert attributes["memberOf"] == [b"cn=staff,ou=groups,dc=example,dc=com"], attributes

# Pages.
control, seen = SimplePagedResultsControl(True, size=4, cookie=""), []
while True:
    message = server.search_ext(BASE, ldap.SCOPE_SUBTREE, "(objectClass=person)", ["uid"], serverctrls=[control])
    _, entries, _, controls = server.result3(message)
    seen += entries
    cookies = [c.cookie for c in controls if c.controlType == SimplePagedResultsControl.controlType]
    if not cookies or not cookies[0]:
        break
    control.cookie = cookies[0]
assert len(seen) == 13, len(seen)

# Limits.
refused(ldap.SIZELIMIT_EXCEEDED, server.search_ext_s, BASE, ldap.SCOPE_SUBTREE, "(uid=*)", None, 0, None, None, -1, 2)
refused(ldap.NO_SUCH_OBJECT, server.search_s, "dc=elsewhere", ldap.SCOPE_BASE)

# Writing.
person = {"objectClass": [b"inetOrgPerson"], "uid": [b"eve"], "cn": [b"Eve"], "sn": [b"Ember"], "userPassword": [b"Ever-Ebony-1"]}
server.add_s(EVE, ldap.modlist.addModlist(person))
refused(ldap.ALREADY_EXISTS, server.add_s, EVE, ldap.modlist.addModlist(person))
server.modify_s(EVE, [(ldap.MOD_REPLACE, "sn", [b"Ebony"]), (ldap.MOD_ADD, "mail", [b"eve@example.com"])])
refused(ldap.TYPE_OR_VALUE_EXISTS, server.modify_s, EVE, [(ldap.MOD_ADD, "mail", [b"EVE@example.com"])])
assert server.compare_s(EVE, "sn", "ebony") is True
assert server.compare_s(EVE, "sn", "ember") is False
server.rename_s(EVE, "uid=eva", newsuperior="ou=services," + BASE, delold=1)
(_, attributes), = server.search_s("uid=eva,ou=services," + BASE, ldap.SCOPE_BASE)
assert attributes["uid"] == [b"eva"] and "userPassword" not in attributes, attributes
other = ldap.initialize(sys.argv[1])
other.simple_bind_s("uid=eva,ou=services," + BASE, "Ever-Ebony-1")
other.unbind_s()
server.delete_s("uid=eva,ou=services," + BASE)

# The password policy's view.
message = server.simple_bind("uid=louis,ou=people," + BASE, "Lock-Ledger-12", serverctrls=[PasswordPolicyControl()])
try:
    server.result4(message)
    raise AssertionError("a locked account was let in")
except ldap.INVALID_CREDENTIALS as error:
    controls = error.args[0].get("ctrls", [])
    assert any(oid == PasswordPolicyControl.controlType for oid, _, _ in controls), error.args

# The failed bind left nobody bound.
refused(ldap.INSUFFICIENT_ACCESS, server.delete_s, ALICE)
server.unbind_s()
print("all done")

"""Passwords of sufficient length that are nevertheless guessed first."""

from __future__ import annotations

# Common passwords that are long enough to pass the length check.
_COMMON = """
password1234 password12345 password123456 passwordpassword mypassword123 mypassword1234
password2020 password2021 password2022 password2023 password2024 password2025 password2026
password123! password1234! p@ssw0rd1234 p@ssword1234 passw0rd1234 p@ssw0rd123! pa$$word1234
newpassword1 newpassword123 changeme1234 changeme123! changemeplease changeit1234 administrator
administrator1 administrator123 adminadmin123 admin1234567 admin12345678 administrator1!
admin@123456 admin123admin superadmin123 rootroot1234 rootpassword letmein12345 letmein123456
letmeinplease welcome12345 welcome123456 welcome1234! welcome@1234 qwerty123456 qwerty1234567
qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwerty12345678 1q2w3e4r5t6y 1qaz2wsx3edc 1qazxsw23edc
zaq12wsxcde3 q1w2e3r4t5y6 1q2w3e4r5t6y7u 1234qwerasdf qazwsxedcrfv qazwsxedc123 asdfghjkl123
zxcvbnm12345 asdf1234asdf qwer1234qwer iloveyou1234 iloveyou12345 iloveyou123! iloveyouforever
ilovejesus123 iloveyousomuch abc123456789 abcd12345678 abcdef123456 a1b2c3d4e5f6 aa1234567890
1234567890ab 123456789abc test12345678 testpassword testtest1234 testing12345 testtesttest
test123456789 sunshine1234 princess1234 football1234 baseball1234 superman1234 starwars1234
pokemon12345 liverpool123 manchester123 manchesterunited chelsea12345 arsenal12345 barcelona123
realmadrid123 trustno1trustno1 dragon123456 monkey123456 master123456 shadow123456 michael12345
correcthorsebatterystaple opensesame123 whateverwhatever thisismypassword nopassword123
secretsecret secret123456 mysecretpassword supersecret123 temporary123 temppassword summer202020
winter202020 summer123456 spring123456 autumn123456 company12345 default12345 countersign1
operator1234 supervisor123 warehouse123 backoffice123
"""
COMMON = frozenset(_COMMON.split())

_WALKS = ("abcdefghijklmnopqrstuvwxyz", "0123456789" * 3, "qwertyuiopasdfghjklzxcvbnm")
FEWEST_DIFFERENT_CHARACTERS = 5
FEWEST_OWN_CHARACTERS = 6


def is_easily_guessed(password: str, account: str) -> bool:
    """Whether it is a common password, a walk over the keyboard, a repetition, or little more than
    the name of the account or the product."""
    text = password.casefold()
    if text in COMMON or len(set(text)) < FEWEST_DIFFERENT_CHARACTERS:
        return True
    if any(text in walk or text in walk[::-1] for walk in _WALKS):
        return True
    if (text + text).find(text, 1) < len(text):
        return True
    rest = text.replace("countersign", "").replace(account.casefold(), "")
    return len(rest) < FEWEST_OWN_CHARACTERS

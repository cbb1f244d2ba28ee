"""The words of our SMS (api.md section 4): at most 90 bytes in EUC-KR, so that it is an SMS."""

LONGEST_NAME = 8  # syllables


def words(code: str, *, site: str, seconds: int) -> str:
    """`[안심] 책방 본인확인 번호 123456 (3분 안에 입력). 누구에게도 알려주지 마세요.` The time follows the limit."""
    within = f"{seconds // 60}분" if seconds % 60 == 0 else f"{seconds}초"
    return f"[안심] {site[:LONGEST_NAME]} 본인확인 번호 {code} ({within} 안에 입력). 누구에게도 알려주지 마세요."


def letters_words(letters: str) -> str:
    """The SMS to a protected line whose app is registered again: letters, so that nobody takes them for a number."""
    return f"[안심] 앱 다시 등록 확인 글자 {letters[:4]}-{letters[4:]} (10분 안에 입력). 아무에게도 알리지 마십시오."

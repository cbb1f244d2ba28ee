"""What a customer without the app is told by SMS when the carrier reports a change: words, and never a number;
and the way to the app, when the desk sends it again.

At most 90 bytes in EUC-KR, so that it is an SMS. In Korean only: we know of nobody here which language they read.
"""

HOW_TO = "[안심] 앱 설치와 등록 방법: {address} 문의 1566-4380"
TEXTS = {
    "cancelled": "[안심] 회선이 바뀌어 휴대폰인증보호 서비스를 해지했습니다. 문의 1566-4380",
    "suspended": "[안심] 회선이 일시 정지되어 본인확인을 할 수 없습니다. 문의 1566-4380",
    "resumed": "[안심] 회선의 일시 정지가 풀려 다시 보호하고 있습니다. 문의 1566-4380",
    "device_changed": "[안심] 휴대폰이 바뀌었습니다. 새 휴대폰에 안심 앱을 등록해 주십시오. 문의 1566-4380",
    "number_changed": "[안심] 휴대폰 번호가 바뀌었습니다. 보호는 계속됩니다. 문의 1566-4380",
    "sim_changed": "[안심] 유심이 바뀌었습니다. 바꾼 적이 없으면 1566-4380으로 전화해 주십시오.",
}

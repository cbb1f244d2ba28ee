"""Does the carrier answer us? For `manage.py doctor`."""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from ansim.lib.health import Finding, bad, ok
from verification import carrier


def look_ups() -> Finding:
    """One look-up, of a number that nobody has."""
    why = carrier.probe()
    if why:
        said = format_lazy(_("통신사 조회에 답이 없거나 다릅니다({why})."), why=why)
        return bad(said, _("CARRIER_URL과 CARRIER_TOKEN을 보십시오. 그동안 새 인증은 503입니다. 우회하지 마십시오."))
    return ok(_("통신사 조회가 됩니다."))

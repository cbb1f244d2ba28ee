"""Invariant 1 of mission.md in the database: no open SMS verification on a protected line, whoever writes the row.

Two triggers, because the rule spans two tables: one looks when a verification comes to await its number by SMS, one
when a line's protection goes up. Both look under the line's row lock, so no interleaving passes between them. The one
exception is the owner's own temporary release, which stands on the verification.
"""

from django.db import migrations

UP = """
CREATE FUNCTION verification_refuse_sms_when_protected() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    protection_now text;
BEGIN
    -- Lock first, look then: with the condition in WHERE a row that is about to be protected would not be waited for.
    SELECT protection INTO protection_now FROM verification_line WHERE id = NEW.line_id FOR SHARE;
    IF protection_now <> 'off' THEN
        RAISE EXCEPTION 'a protected line is never verified by SMS'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'verification_never_sms_when_protected';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER verification_never_sms_when_protected
    BEFORE INSERT OR UPDATE OF state, channel, line_id ON verification_verification
    FOR EACH ROW WHEN (NEW.channel = 'sms' AND NEW.state = 'awaiting_code' AND NOT NEW.released)
    EXECUTE FUNCTION verification_refuse_sms_when_protected();

CREATE FUNCTION line_refuse_protection_over_open_sms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM verification_verification
                WHERE line_id = NEW.id AND ended_at IS NULL AND channel = 'sms' AND NOT released) THEN
        RAISE EXCEPTION 'end the open SMS verification first'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'line_no_open_sms_when_protected';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER line_no_open_sms_when_protected
    BEFORE UPDATE OF protection ON verification_line
    FOR EACH ROW WHEN (OLD.protection = 'off' AND NEW.protection <> 'off')
    EXECUTE FUNCTION line_refuse_protection_over_open_sms();
"""
DOWN = """
DROP TRIGGER line_no_open_sms_when_protected ON verification_line;
DROP FUNCTION line_refuse_protection_over_open_sms();
DROP TRIGGER verification_never_sms_when_protected ON verification_verification;
DROP FUNCTION verification_refuse_sms_when_protected();
"""


class Migration(migrations.Migration):
    dependencies = [("verification", "0001_partners_lines_verifications")]

    operations = [migrations.RunSQL(UP, DOWN)]

"""Who had cancelled, and what the desk had taken down, become facts; the column that held both goes."""

from django.db import migrations

CARRY_OVER = """
UPDATE subscriptions_subscription SET cancelled_at = ended_at, cancel_reason = coalesce(nullif(end_reason, ''), 'desk') WHERE state = 'ended';
INSERT INTO subscriptions_pendingchange (id, subscription_id, kind, asked_at, due_at)
SELECT gen_random_uuid(), id, 'cancellation', leaves_at - interval '1 day', leaves_at
  FROM subscriptions_subscription WHERE state = 'active' AND leaves_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0003_facts_and_conclusions")]

    operations = [
        migrations.RunSQL(CARRY_OVER, migrations.RunSQL.noop),
        migrations.RemoveIndex(
            model_name='subscription',
            name='subscription_leaving',
        ),
        migrations.RemoveField(
            model_name='subscription',
            name='leaves_at',
        ),
    ]

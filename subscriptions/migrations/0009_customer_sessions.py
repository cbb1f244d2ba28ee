from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("subscriptions", "0008_consents")]

    operations = [
        migrations.AddIndex(
            model_name="customersession",
            index=models.Index(fields=["ends_at"], name="customersession_over"),
        ),
        migrations.AddConstraint(
            model_name="customersession",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__gt", models.F("began_at"))), name="customersession_ends_after_beginning"
            ),
        ),
    ]

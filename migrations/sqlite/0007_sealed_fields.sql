DROP INDEX `data_requests_email`;--> statement-breakpoint
ALTER TABLE `data_requests` ADD `email_index` text;--> statement-breakpoint
CREATE INDEX `data_requests_email_index` ON `data_requests` (`email_index`);--> statement-breakpoint
DROP INDEX `team_invitations_email`;--> statement-breakpoint
ALTER TABLE `team_invitations` ADD `email_index` text;--> statement-breakpoint
CREATE INDEX `team_invitations_email_index` ON `team_invitations` (`email_index`);--> statement-breakpoint
DROP INDEX `users_email_live`;--> statement-breakpoint
ALTER TABLE `users` ADD `email_index` text;--> statement-breakpoint
CREATE UNIQUE INDEX `users_email_index_live` ON `users` (`email_index`) WHERE "users"."deleted_at" is null;--> statement-breakpoint
ALTER TABLE `mail_outbox` ADD `recipient_index` text;--> statement-breakpoint
ALTER TABLE `support_requests` ADD `email_index` text;
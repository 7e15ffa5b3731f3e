package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"badgebridge/store"
)

// big is a real WordPress with as many members and awards as an association can
// have, put there by SQL, and what the gateway costs it.
type big struct {
	*World
	site            *wordpressSite
	requests        string // the file in which the site notes its requests
	members, awards int
}

// cost is what one pull cost on both sides.
type cost struct {
	Requests int            // of the gateway to the site
	Queries  int            // in the site's database
	Rows     int            // that the database read, by index or not
	Scanned  int            // of these, in scans of whole tables
	Memory   int64          // bytes, at most, of one request in PHP
	Resident int64          // bytes, at most, of the gateway
	Run      store.Run      // at the gateway
	Took     time.Duration  // as long as the run
	Handlers map[string]int // MariaDB's counters
}

func startBig(t testing.TB) *big {
	t.Helper()
	site := startWordPress(t)
	b := &big{World: NewWorld(t, WorldOptions{Site: site, Env: map[string]string{"BADGEBRIDGE_LOG_LEVEL": "warn"}}), site: site}
	b.Admin.SetUp(t, b.Gateway, b.Mail, alex)
	b.requests = site.Note(t, "requests")
	site.PHP(t, fmt.Sprintf(`file_put_contents( WPMU_PLUGIN_DIR . '/requests.php', %s );`, "'"+strings.ReplaceAll(fmt.Sprintf(`<?php
add_action( 'shutdown', function () {
	if ( false === strpos( $_SERVER['REQUEST_URI'], '/badgebridge/v1/' ) ) { return; }
	file_put_contents( '%s', json_encode( array( 'memory' => memory_get_peak_usage( true ), 'queries' => $GLOBALS['wpdb']->num_queries, 'uri' => $_SERVER['REQUEST_URI'] ) ) . "\n", FILE_APPEND | LOCK_EX );
}, 9999 );`, b.requests), "'", `\'`)+"'"))
	for i := range 50 {
		site.CreateBadge(t, fmt.Sprintf("Badge %02d", i))
	}
	return b
}

// fill adds members, and awards to them in turn, without a word to any hook.
func (b *big) fill(t testing.TB, members, awards int) {
	t.Helper()
	b.site.SQL(t, fmt.Sprintf(`
		SET SESSION sql_mode = '';
		CREATE OR REPLACE TABLE big_badges (n int AUTO_INCREMENT PRIMARY KEY, id int);
		INSERT INTO big_badges (id) SELECT ID FROM wp_posts WHERE post_type = 'badges' AND post_title LIKE 'Badge %%' ORDER BY ID;
		INSERT INTO wp_users (ID, user_login, user_pass, user_nicename, user_email, user_registered, display_name)
			SELECT 1000 + seq, CONCAT('member', seq), '', CONCAT('member', seq), CONCAT('member', seq, '@example.org'), '2024-01-01', CONCAT('Member ', seq)
			FROM seq_%[1]d_to_%[2]d;
		INSERT INTO wp_usermeta (user_id, meta_key, meta_value) SELECT 1000 + seq, 'first_name', 'Member' FROM seq_%[1]d_to_%[2]d;
		INSERT INTO wp_usermeta (user_id, meta_key, meta_value) SELECT 1000 + seq, 'last_name', CONCAT('Number ', seq) FROM seq_%[1]d_to_%[2]d;
		INSERT INTO wp_usermeta (user_id, meta_key, meta_value) SELECT 1000 + seq, 'wp_capabilities', 'a:1:{s:10:"subscriber";b:1;}' FROM seq_%[1]d_to_%[2]d;
		INSERT INTO wp_badgeos_achievements (ID, post_type, achievement_title, rec_type, user_id, this_trigger, site_id, date_earned, actual_date_earned)
			SELECT big_badges.id, 'badges', CONCAT('Badge ', n), 'normal', 1001 + (seq * 7) MOD %[2]d, '', 1, '2024-01-01' + INTERVAL seq MINUTE, '2024-01-01' + INTERVAL seq MINUTE
			FROM seq_%[3]d_to_%[4]d JOIN big_badges ON n = 1 + seq MOD 50;
		ANALYZE TABLE wp_users, wp_usermeta, wp_badgeos_achievements, wp_posts;`,
		b.members+1, b.members+members, b.awards+1, b.awards+awards))
	b.members, b.awards = b.members+members, b.awards+awards
}

// measure tells what the site's database and both programs spend while pull runs.
func (b *big) measure(t testing.TB, pull func() store.Run) cost {
	t.Helper()
	must(t, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", b.Gateway.cmd.Process.Pid), []byte("5"), 0)) // forgets the peak so far
	os.Remove(b.requests)
	before := b.counters(t)
	c := cost{Run: pull(), Handlers: map[string]int{}}
	for name, n := range b.counters(t) {
		c.Handlers[name] = n - before[name]
		if strings.HasPrefix(name, "Handler_read") {
			c.Rows += n - before[name]
		}
	}
	c.Scanned = c.Handlers["Handler_read_rnd_next"]
	c.Took = c.Run.EndedAt.Sub(c.Run.StartedAt)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.Gateway.cmd.Process.Pid))
	must(t, err)
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			must(t, err)
			c.Resident = kb << 10
		}
	}
	noted, err := os.ReadFile(b.requests)
	must(t, err)
	for line := range strings.Lines(string(noted)) {
		var r struct {
			Memory  int64
			Queries int
		}
		must(t, json.Unmarshal([]byte(line), &r))
		c.Requests++
		c.Queries += r.Queries
		c.Memory = max(c.Memory, r.Memory)
	}
	return c
}

// counters are what MariaDB has done since it started, all connections together.
func (b *big) counters(t testing.TB) map[string]int {
	t.Helper()
	all := map[string]int{}
	for _, row := range b.site.Query(t, `SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Handler\_read%' OR Variable_name = 'Select_scan'`) {
		n, err := strconv.Atoi(row[1])
		must(t, err)
		all[row[0]] = n
	}
	return all
}

// pair pairs the site, which lists everything for the first time, and gives the
// run.
func (b *big) pair(t testing.TB) store.Run {
	t.Helper()
	must(t, b.site.Site.Pair(t, PublicURL, b.Admin.PairingCode(t)))
	remotes, err := b.DB.Remotes(t.Context())
	must(t, err)
	b.SiteName = remotes[0].Name
	var out store.Run
	Eventually(t, 30*time.Minute, "all is listed", func() error {
		for _, r := range b.lists(t, b.SiteName) {
			// The first may come before the site has put the key away.
			if out = r; r.State == store.RunDone {
				return nil
			}
		}
		return fmt.Errorf("%+v", out)
	})
	if out.New != b.awards {
		t.Fatalf("the run is %+v", out)
	}
	return out
}

func TestAPullWithNothingNewCostsABigSiteNoMoreThanASmallOne(t *testing.T) {
	b := startBig(t)
	b.fill(t, 60, 300)
	b.pair(t)
	nothing := func() store.Run { return b.Pulled(t, b.SiteName) }
	b.measure(t, nothing) // fills what is filled once
	small := b.measure(t, nothing)
	b.fill(t, 1200, 6000)
	if run := b.ListAll(t, b.SiteName); run.State != store.RunDone || run.New != 6000 {
		t.Fatalf("the list is %+v", run)
	}
	if big := b.measure(t, nothing); big.Run.Seen != 0 || big.Requests != small.Requests || big.Queries > small.Queries+2 || big.Rows > small.Rows+100 || big.Scanned > small.Scanned+50 {
		t.Errorf("with 300 awards %+v,\nwith 6300 %+v", small, big)
	}
	promise(t, "one new award is read without a look at the others", func(t *testing.T) {
		user := b.site.CreateUser(t, "walker", ada, "Ada", "Example")
		b.site.CutWebhooks(t, true)
		b.site.Award(t, b.site.CreateBadge(t, "New"), user)
		if one := b.measure(t, nothing); one.Run.New != 1 || one.Rows > small.Rows+500 || one.Scanned > small.Scanned+100 {
			t.Errorf("nothing %+v,\none %+v", small, one)
		}
	})
}

// BenchmarkPull is a site with 100,000 awards and 20,000 members, or as many as
// the variables say.
func BenchmarkPull(bm *testing.B) {
	awards, members := number(bm, "BADGEBRIDGE_BENCH_AWARDS", 100_000), number(bm, "BADGEBRIDGE_BENCH_MEMBERS", 20_000)
	b := startBig(bm)
	b.fill(bm, members, awards)
	first := b.measure(bm, func() store.Run { return b.pair(bm) })
	b.measure(bm, func() store.Run { return b.Pulled(bm, b.SiteName) })
	var nothing cost
	for bm.Loop() {
		nothing = b.measure(bm, func() store.Run { return b.Pulled(bm, b.SiteName) })
	}
	again := b.measure(bm, func() store.Run { return b.ListAll(bm, b.SiteName) })
	for _, line := range []struct {
		what string
		cost cost
	}{{"the first full pull", first}, {"a pull with nothing new", nothing}, {"a full listing with nothing new", again}} {
		c := line.cost
		per := func(n int) string { return fmt.Sprintf("%.3f an award", float64(n)/float64(awards)) }
		bm.Logf("%s (%d awards, %d members): %d requests; %d queries, %s; %d rows read, %s, %d of them in scans; at most %d MiB in PHP, %d MiB in the gateway",
			line.what, awards, members, c.Requests, c.Queries, per(c.Queries), c.Rows, per(c.Rows), c.Scanned, c.Memory>>20, c.Resident>>20)
	}
	bm.ReportMetric(float64(first.Took)/float64(again.Took), "first/again")
	bm.ReportMetric(float64(first.Rows)/float64(awards), "rows-read/award")
	bm.ReportMetric(float64(nothing.Rows)/float64(first.Rows), "rows-nothing-new/first")
}

func number(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

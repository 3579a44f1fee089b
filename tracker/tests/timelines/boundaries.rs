//! Where views and slices begin and end.

use crate::script::play;
use crate::timeline;

timeline!(
    a_slice_ends_at_the_mark_of_five_minutes,
    "0    source /film.mp4
     0    load 3600
     290  play
     310  leave",
    @"
   0.000 impression
 290.000 play_request @0
 290.000 play @0
 310.000 stop reason=closed
slice 0 at 0.000 for 300.000: views=1 impressions=1 play_requests=1 plays=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 active=10000
slice 1 at 300.000 for 10.000: stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 played_ms_other=10000 watched=1% active=1 stop_reason=closed
"
);

timeline!(
    a_long_pause_opens_no_slice,
    "0    source /film.mp4
     0    load 3600
     10   play
     20   pause
     1500 play
     1505 leave",
    @"
   0.000 impression
  10.000 play_request @0
  10.000 play @0
  20.000 pause @10
1500.000 resume @10
1505.000 stop reason=closed
slice 0 at 0.000 for 300.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 played_ms=10000 content_ms=10000 paused_ms=280000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 active=1
slice 1 at 1500.000 for 5.000: resumes=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 active=1 stop_reason=closed
"
);

timeline!(
    another_source_is_another_view,
    "0    source /one.mp4
     0    load 60
     0    play
     10   source /two.mp4
     10   load 30
     10   play
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 stop reason=source_changed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=source_changed
--- another view
  10.000 impression
  10.000 play_request @0
  10.000 play @0
  15.000 stop reason=closed
slice 0 at 10.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=17% active=1 stop_reason=closed
"
);

timeline!(
    a_media_source_that_is_attached_again_is_the_same_view,
    "0    source blob:https://example.org/1
     0    load 60
     0    play
     10   source blob:https://example.org/2
     10   load 60
     10   seek 10 0
     10   play
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=15000 engaged_ms=15000 ladder_plays=1 played_ms_other=15000 startup_ms=1 reached_25=1 position_25=1 watched=25% active=1 stop_reason=closed
"
);

timeline!(
    a_placeholder_is_no_video,
    "0    source
     1    source data:video/mp4;base64,AAAA
     2    source https://cdn.example.org/blank.mp4
     3    leave",
    @""
);

timeline!(
    after_an_hour_of_nothing_a_seek_is_no_other_view,
    "0    source /film.mp4
     0    load 60
     0    play
     10   pause
     3700 seek 30 0.5
     3705 leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 pause @10
3700.000 stop reason=idle
slice 0 at 0.000 for 33.500: views=1 impressions=1 play_requests=1 plays=1 pauses=1 played_ms=10000 content_ms=10000 paused_ms=23500 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1
slice 1 at 3700.000 for 0.000: stops=1 stop_reason=idle
"
);

timeline!(
    what_a_media_source_plays_after_a_file_is_another_view,
    "0    source /film.mp4
     0    load 60
     0    play
     5    source blob:https://site.example/1
     5    load 60
     5    play
     8    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 stop reason=source_changed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1 stop_reason=source_changed
--- another view
   5.000 impression
   5.000 play_request @0
   5.000 play @0
   8.000 stop reason=closed
slice 0 at 5.000 for 3.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=3000 content_ms=3000 engaged_ms=3000 ladder_plays=1 played_ms_other=3000 startup_ms=1 watched=5% active=1 stop_reason=closed
"
);

timeline!(
    after_an_hour_of_nothing_it_is_another_view,
    "0    source /film.mp4
     0    load 60
     0    play
     10   pause
     3700 play
     3705 leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 pause @10
3700.000 stop reason=idle
slice 0 at 0.000 for 33.500: views=1 impressions=1 play_requests=1 plays=1 pauses=1 played_ms=10000 content_ms=10000 paused_ms=23500 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1
slice 1 at 3700.000 for 0.000: stops=1 stop_reason=idle
--- another view
3700.000 impression
3700.000 play_request @10
3700.000 play @10
3705.000 quartile ladder=position percent=25 @15
3705.000 stop reason=closed
slice 0 at 3700.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 position_25=1 watched=8% active=1 stop_reason=closed
"
);

timeline!(
    coming_back_from_the_cache_begins_another_view,
    "0    source /film.mp4
     0    load 60
     0    play
     5    leave
     10   return
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 stop reason=closed
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=8% active=1 stop_reason=closed
--- another view
  10.000 impression
  10.000 play_request @5
  10.000 play @5
  15.000 stop reason=closed
slice 0 at 10.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 watched=9% active=1 stop_reason=closed
"
);

/// Neither shown nor played anew.
#[test]
fn a_view_is_over_after_a_day_and_another_goes_on() {
    let told = play(
        "0    source /live.m3u8
         0    load live
         0    play
         86410 leave",
    );
    let (first, second) = told.split_once("--- another view\n").unwrap();
    assert!(first.contains("86400.000 stop reason=expired"), "{first}");
    insta::assert_snapshot!(second, @"
    86410.000 stop reason=closed
    slice 0 at 86400.000 for 10.000: views=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 played_ms_other=10000 active=1 stop_reason=closed [kind=live]
    ");
}

timeline!(
    an_hour_after_the_end_it_is_another_view,
    "0    source /film.mp4
     0    load 5
     0    play
     3700 play
     3710 leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   1.250 quartile ladder=watched percent=25 @1.25
   1.250 quartile ladder=position percent=25 @1.25
   2.500 quartile ladder=watched percent=50 @2.5
   2.500 quartile ladder=position percent=50 @2.5
   3.750 quartile ladder=watched percent=75 @3.75
   3.750 quartile ladder=position percent=75 @3.75
   5.000 quartile ladder=watched percent=100 @5
   5.000 quartile ladder=position percent=100 @5
   5.000 end @5
3700.000 stop reason=ended
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 ends=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% active=1
slice 1 at 3700.000 for 0.000: stops=1 stop_reason=ended
--- another view
3700.000 impression
3700.000 play_request @0
3700.000 play @0
3701.250 quartile ladder=watched percent=25 @1.25
3701.250 quartile ladder=position percent=25 @1.25
3702.500 quartile ladder=watched percent=50 @2.5
3702.500 quartile ladder=position percent=50 @2.5
3703.750 quartile ladder=watched percent=75 @3.75
3703.750 quartile ladder=position percent=75 @3.75
3705.000 quartile ladder=watched percent=100 @5
3705.000 quartile ladder=position percent=100 @5
3705.000 end @5
3710.000 stop reason=ended
slice 0 at 3700.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 ends=1 stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 ladder_plays=1 played_ms_other=5000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% active=1 stop_reason=ended
"
);

timeline!(
    /// Every slice of the view is said again with it.
    a_title_that_comes_late_is_filled_in,
    "0    source /film.mp4
     0    load 60
     0    play
     310  title Film
     320  leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  30.000 quartile ladder=watched percent=50 @30
  30.000 quartile ladder=position percent=50 @30
  45.000 quartile ladder=watched percent=75 @45
  45.000 quartile ladder=position percent=75 @45
  59.500 quartile ladder=watched percent=100 @59.5
  60.000 quartile ladder=position percent=100 @60
  60.000 end @60
 320.000 stop reason=ended
slice 0 at 0.000 for 60.000: views=1 impressions=1 play_requests=1 plays=1 ends=1 played_ms=60000 content_ms=60000 engaged_ms=60000 ladder_plays=1 played_ms_other=60000 startup_ms=1 reached_25=1 reached_50=1 reached_75=1 reached_100=1 position_25=1 position_50=1 position_75=1 position_100=1 watched=100% active=1 [title=Film]
slice 1 at 320.000 for 0.000: stops=1 stop_reason=ended [title=Film]
"
);

timeline!(
    a_user_that_comes_late_is_filled_in,
    "0    source /film.mp4
     0    load 60
     0    play
     10   user anna
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 15.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=15000 content_ms=15000 engaged_ms=15000 ladder_plays=1 played_ms_other=15000 startup_ms=1 reached_25=1 position_25=1 watched=25% active=1 stop_reason=closed [user=anna]
"
);

timeline!(
    another_user_begins_another_slice,
    "0    source /film.mp4
     0    load 60
     0    user anna
     0    play
     10   user ben
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 [user=anna]
slice 1 at 10.000 for 5.000: stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 reached_25=1 position_25=1 watched=8% stop_reason=closed [user=ben]
"
);

timeline!(
    another_engine_begins_another_slice,
    "0    source /film.mp4
     0    load 60
     0    engine one
     0    play
     10   engine two
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  15.000 quartile ladder=watched percent=25 @15
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 [engine=one]
slice 1 at 10.000 for 5.000: stops=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 reached_25=1 position_25=1 watched=8% stop_reason=closed [engine=two]
"
);

timeline!(
    another_video_id_is_another_view,
    "0    source /film.mp4
     0    load 60
     0    play
     10   video other
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 stop reason=source_changed
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=source_changed
--- another view
  10.250 impression
  10.250 play_request @10.25
  10.250 play @10.25
  15.000 quartile ladder=position percent=25 @15
  15.000 stop reason=closed
slice 0 at 10.250 for 4.750: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=4750 content_ms=4750 engaged_ms=4750 ladder_plays=1 played_ms_other=4750 startup_ms=1 position_25=1 watched=8% active=1 stop_reason=closed [video=other]
"
);

timeline!(
    a_player_that_is_taken_off,
    "0    source /film.mp4
     0    load 60
     0    play
     10   detach
     15   leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
  10.000 stop reason=detached
slice 0 at 0.000 for 10.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=10000 content_ms=10000 engaged_ms=10000 ladder_plays=1 played_ms_other=10000 startup_ms=1 watched=17% active=1 stop_reason=detached
"
);

timeline!(
    a_source_that_shows_nothing_was_never_viewed,
    "0    source /one.mp4
     1    source /two.mp4
     1    load 10
     2    leave",
    @"
   1.000 impression
   2.000 stop reason=closed
slice 0 at 1.000 for 1.000: views=1 impressions=1 stops=1 stop_reason=closed
"
);

timeline!(
    the_same_address_again_is_the_same_view,
    "0    source /film.mp4
     0    load 60
     0    play
     5    source /film.mp4
     5    load 60
     5    play
     8    leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   8.000 stop reason=closed
slice 0 at 0.000 for 8.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=8000 content_ms=8000 engaged_ms=8000 ladder_plays=1 played_ms_other=8000 startup_ms=1 watched=8% rewatched=5% active=1 stop_reason=closed
"
);

timeline!(
    freezing_and_resuming_is_the_same_view,
    "0    source /film.mp4
     0    load 60
     0    play
     5    pause
     6    hide
     7    freeze
     100  unfreeze
     100  show
     101  play
     105  leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 pause @5
   6.000 visibility visible=false @5
 100.000 visibility visible=true @5
 101.000 resume @5
 105.000 stop reason=closed
slice 0 at 0.000 for 105.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 resumes=1 stops=1 played_ms=9000 content_ms=9000 paused_ms=96000 engaged_ms=9000 ladder_plays=1 played_ms_other=9000 startup_ms=1 watched=15% active=11 stop_reason=closed
"
);

timeline!(
    a_first_frame_after_the_mark_stays_in_its_slice,
    "0    source /film.mp4
     0    load 60
     295  play 20
     320  leave",
    @"
   0.000 impression
 295.000 play_request @0
 315.000 play @0
 320.000 stop reason=closed
slice 0 at 0.000 for 315.250: views=1 impressions=1 play_requests=1 plays=1 played_ms=250 content_ms=250 wait_ms=20000 engaged_ms=250 ladder_plays=1 played_ms_other=250 startup_ms=20000 active=100000
slice 1 at 315.250 for 4.750: stops=1 played_ms=4750 content_ms=4750 engaged_ms=4750 played_ms_other=4750 watched=8% stop_reason=closed
"
);

timeline!(
    waiting_for_ever_turns_the_slice_after_five_minutes,
    "0    source /film.mp4
     0    load 60
     10   play 900
     700  leave",
    @"
   0.000 impression
  10.000 play_request @0
 700.000 stop reason=closed
slice 0 at 0.000 for 580.000: views=1 impressions=1 play_requests=1 wait_ms=570000
slice 1 at 580.000 for 120.000: wait_ms=120000
slice 2 at 700.000 for 0.000: stops=1 stop_reason=closed
"
);

timeline!(
    what_the_engine_said_of_being_live_holds_for_the_next_view_of_the_same_source,
    "0    source /live.m3u8
     0    live yes
     0    load 60
     0    play
     5    pause
     6    sleep 3700
     3706 play
     3710 leave",
    @"
   0.000 impression
   0.000 play_request @0
   0.000 play @0
   5.000 pause @5
3706.000 stop reason=idle
slice 0 at 0.000 for 5.000: views=1 impressions=1 play_requests=1 plays=1 pauses=1 played_ms=5000 content_ms=5000 engaged_ms=5000 played_ms_other=5000 startup_ms=1 active=1 [kind=live]
slice 1 at 3706.000 for 0.000: stops=1 stop_reason=idle [kind=live]
--- another view
3706.000 impression
3706.000 play_request @5
3706.000 play @5
3710.000 stop reason=closed
slice 0 at 3706.000 for 4.000: views=1 impressions=1 play_requests=1 plays=1 stops=1 played_ms=4000 content_ms=4000 engaged_ms=4000 played_ms_other=4000 startup_ms=1 active=1 stop_reason=closed [kind=live]
"
);

import numpy as np
import pytest

from zerosum.plots.points import histogram, scatter, vector_field

ORANGE, BLUE = (200, 104, 47), (63, 127, 176)


def near(image, colour, within=60):
    """Where the image has a colour, as (rows, columns)."""
    pixels = np.asarray(image.convert("RGB")).astype(int)
    return np.nonzero((np.abs(pixels - colour) < within).all(-1))


def cloud(centre, count=500, spread=0.05, seed=0):
    return np.random.default_rng(seed).normal(centre, spread, (count, len(centre))).astype(np.float32)


def test_points_stand_where_they_are_with_up_above():
    frame = np.array([[-1, -1], [1, 1]], np.float32)
    rows, columns = near(scatter(cloud((0.8, 0.8)), frame, side=400), ORANGE)
    assert rows.mean() < 150 and columns.mean() > 250


def test_the_axes_have_one_scale():
    tall = np.array([[0, 0], [0, 4], [1, 0], [1, 4]], np.float32)
    points = np.concatenate([cloud((0.5, 2), 3000, 0.2), tall])
    rows, columns = near(scatter(points, tall, side=600), ORANGE)
    middle = slice(len(rows) // 20, -len(rows) // 20)
    assert np.ptp(np.sort(rows)[middle]) == pytest.approx(np.ptp(np.sort(columns)[middle]), rel=0.15)


def test_real_points_are_seen_where_no_generated_ones_are():
    real = np.concatenate([cloud((-1, 0)), cloud((1, 0), seed=1)])
    image = scatter(cloud((-1, 0), seed=2), real, side=400)
    assert near(image, BLUE)[1].mean() > 200 > near(image, ORANGE)[1].mean()


def test_points_of_many_dimensions_are_shown_on_the_principal_axes_of_the_real_ones():
    draw = np.random.default_rng(0)
    turn = np.linalg.qr(draw.normal(size=(12, 12)))[0]
    real = np.zeros((400, 12))
    real[:200, 0], real[200:, 0] = -5, 5
    real += 0.05 * draw.normal(size=real.shape)
    image = scatter(real[:200] @ turn, real @ turn, (real[[0, 200]] @ turn), 0.5, side=400)
    real_columns, made_columns = near(image, BLUE)[1], near(image, ORANGE)[1]
    assert abs(real_columns.mean() - made_columns.mean()) > 200  # the two groups lie at opposite ends


def test_centres_are_ringed():
    frame = np.array([[-2, -2], [2, 2]], np.float32)
    plain, ringed = (scatter(frame, None, np.zeros((1, 2)), radius, side=400) for radius in (None, 1.0))
    changed = np.nonzero((np.asarray(plain) != np.asarray(ringed)).any(-1))
    across, down = np.ptp(changed[1]), np.ptp(changed[0])
    assert across == pytest.approx(down, abs=3) and 60 < across < 300


def test_points_outside_the_frame_are_counted():
    frame = np.array([[-1, -1], [1, 1]], np.float32)
    inside = np.concatenate([frame] * 50)
    far = np.concatenate([inside, [[99, 99]] * 300]).astype(np.float32)
    corner = (slice(0, 40), slice(300, 400))
    assert (np.asarray(scatter(far, frame, side=400))[corner] < 200).any()
    assert (np.asarray(scatter(inside, frame, side=400))[corner] > 250).all()


def test_a_histogram_shows_both_densities_and_keeps_its_scale_under_heavy_tails():
    draw = np.random.default_rng(0)
    real = draw.standard_cauchy(20_000).astype(np.float32)
    image = histogram(real + 5, real[:, None])
    rows, columns = near(image.convert("RGB"), BLUE)
    assert 20 < columns[rows < rows.min() + 30].mean() < 900
    spread = np.ptp(columns[rows < np.median(rows)])
    assert spread > 60  # the bulk is not one bar
    assert image.size == (960, 480)


def test_densities_do_not_depend_on_how_many_points_there_are():
    real = np.random.default_rng(0).uniform(0, 1, 40_000).astype(np.float32)
    image = histogram(real[:10_000] * 2, real)  # half as dense, over twice the range
    blue, orange = near(image, BLUE)[0].min(), near(image, (225, 172, 142), 20)[0].min()
    bottom = near(image, BLUE)[0].max()
    assert (bottom - orange) / (bottom - blue) == pytest.approx(0.5, abs=0.08)


def test_one_value_only_still_has_a_frame():
    assert histogram(np.zeros(5, np.float32)).size == (960, 480)
    assert scatter(np.zeros((5, 2), np.float32), side=300).size == (300, 300)


def test_an_image_may_have_no_ground():
    points = cloud((0, 0))
    assert scatter(points, side=300).mode == "RGB"
    clear = np.asarray(scatter(points, side=300, transparent=True))
    assert clear.shape == (300, 300, 4) and clear[2, 2, 3] == 0


def test_images_are_the_same_every_time():
    points = cloud((0, 0))
    assert scatter(points, side=300).tobytes() == scatter(points, side=300).tobytes()


def test_points_that_cannot_be_drawn_are_refused():
    points = np.zeros((4, 2), np.float32)
    with pytest.raises(ValueError, match=r"points \(N, d\) of 2 or more dimensions, not \(4, 1\)"):
        scatter(points[:, :1])
    with pytest.raises(ValueError, match=r"points \(N, d\) of 2 dimensions, not \(4, 3\)"):
        scatter(points, np.zeros((4, 3)))
    with pytest.raises(ValueError, match=r"points \(N, d\) of 1 dimensions, not \(4, 2\)"):
        histogram(points)
    with pytest.raises(ValueError, match=r"not \(0, 2\)"):
        scatter(points[:0])
    with pytest.raises(ValueError, match="points must be finite to be plotted"):
        scatter(points + np.nan)


def test_a_field_has_its_arrows_and_paths_within_its_frame():
    places = np.array([[x, y] for x in (-1.0, 0.0, 1.0) for y in (-1.0, 0.0, 1.0)])
    path = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5]])
    plain = np.asarray(vector_field(places, -places, side=300).convert("RGB")).astype(int)
    drawn = np.asarray(vector_field(places, -places, [path], ("theta", "psi"), "a title", 300).convert("RGB")).astype(
        int
    )
    assert plain.shape == drawn.shape == (300, 300, 3)
    orange = (drawn[..., 0] - drawn[..., 2] > 60) & (drawn[..., 0] > 150)
    assert 20 < orange.sum() < 2_000 and not (plain[..., 0] - plain[..., 2] > 60).any()
    still = np.asarray(vector_field(places, np.zeros((9, 2)), side=300).convert("RGB")).astype(int)
    assert (still < 200).all(2).sum() < (plain < 200).all(2).sum(), "no arrows where the field is 0"
    with pytest.raises(ValueError, match="a field has a direction at each place; found 8 and 9"):
        vector_field(places, places[:8])
    with pytest.raises(ValueError, match=r"this plot takes points \(N, d\) of 2 dimensions, not \(9, 3\)"):
        vector_field(np.zeros((9, 3)), places)
